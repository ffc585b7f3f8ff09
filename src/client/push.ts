import type { Connection } from './connection.js'
import { type Dispatcher, page } from './dispatcher.js'
import type { Message } from './frames.js'
import type { Transport } from './options.js'

/** What runs for a message. An exception in it is reported to the browser as uncaught, and stops no other. */
export type Listener<Data = unknown> = (data: Data, message: Message<Data>) => void

/**
 * A page's connection to the push server.
 *
 * @typeParam Channels the channels' names and what their messages carry
 */
export interface Push<Channels extends object = Record<string, unknown>> {
  /**
   * A random id of this page view. Hand it to the CMS with a form that the page submits; a message published with it as
   * `except` is not shown on this page.
   */
  readonly page: string
  /**
   * How messages come now: it changes where streams turn out not to work. Of a tab that shares another's connection: how they
   * would come to this one.
   */
  readonly transport: Transport
  /**
   * Runs a listener for each message of a channel. A channel that the connection does not have yet is asked for by
   * reopening it from where it stands, once for all that are named in the same turn; nothing is lost. A channel that the
   * visitor may not read is told to `onerror` and not asked for again; the others go on. The listener stays, for a message
   * to the user may bear the name as a label.
   */
  on<Name extends keyof Channels & string>(channel: Name, listener: Listener<Channels[Name]>): void
  /** Removes a listener of a channel, or without one all of them. The connection keeps the channel until it is reopened. */
  off<Name extends keyof Channels & string>(channel: Name, listener?: Listener<Channels[Name]>): void
  /** Runs a listener for each message that names this callback. Listeners of the message's channel do not run. */
  callback(name: string, listener: Listener): void
  /** Ends the connection for good. Nothing is called after it. */
  close(): void
}

/**
 * Puts together what a page has of its connection.
 *
 * @param transport how messages come now
 */
export function createPush(dispatcher: Dispatcher, connection: Connection, transport: () => Transport): Push {
  return {
    page,
    get transport() {
      return transport()
    },
    on(channel, listener) {
      dispatcher.on(channel, listener)
      connection.extend()
    },
    off: dispatcher.off,
    callback: dispatcher.callback,
    close: connection.close,
  }
}
