import { createConnection, type Later } from './connection.js'
import { createDispatcher } from './dispatcher.js'
import type { Message } from './frames.js'
import type { ConnectOptions, Transport } from './options.js'
import type { Receive } from './receiver.js'

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
  /** How messages come. */
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

// One for all connections of the page view. Not a secret, so that Math.random will do.
const page = Math.random().toString(36).slice(2) + Date.now().toString(36)

/**
 * Creates a connection with its listeners.
 *
 * @param receive how messages come in this environment, and `transport` its name
 * @param later sets the timer of a gap
 */
export function createPush(
  url: string,
  options: ConnectOptions,
  transport: Transport,
  receive: Receive,
  later: Later,
): Push {
  const dispatcher = createDispatcher(page, options)
  const connection = createConnection(url, options, receive, later, dispatcher)
  return {
    page,
    transport,
    on(channel, listener) {
      dispatcher.on(channel, listener)
      connection.extend()
    },
    off: dispatcher.off,
    callback: dispatcher.callback,
    close: connection.close,
  }
}
