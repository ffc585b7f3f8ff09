import { createConnection } from './connection.js'
import type { Message, Presence } from './frames.js'
import type { Host } from './host.js'
import { lacks, none } from './names.js'
import type { ConnectOptions, Transport } from './options.js'
import { tell } from './tell.js'

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

/** The page view's id, one for all its connections. Not a secret, so that Math.random will do. */
const page = `${Math.random()}`.slice(2)

/**
 * Connects, and runs what messages are for: each listener once, in the order in which they were added. Drops what is not for this
 * page view.
 *
 * @param transport how messages come now
 */
export function createPush(
  url: string,
  options: ConnectOptions,
  host: Host,
  transport: () => Transport,
): Push {
  // Lists, not objects: a channel may be called `__proto__`, and Map is not there in all browsers.
  type Entry = readonly [name: string, listener: Listener]
  let listeners: readonly Entry[] = []
  let callbacks: readonly Entry[] = []

  const deliver = (message: Message) => {
    const { data, callback } = message
    if (message.except === page) return
    const entries = callback ? callbacks : listeners
    tell(options.onmessage, data, message)
    const names = none.concat(callback || message.channels || message.channel)
    const told = [options.onmessage]
    entries.forEach(entry => {
      if (lacks(names, entry[0]) || !lacks(told, entry[1])) return
      told.push(entry[1])
      tell(entry[1], data, message)
    })
    // What has an id was published, whatever it calls itself.
    if (message.type === 'presence' && !message.id) tell(options.onpresence, data as Presence)
  }

  const connection = createConnection(url, options, host, () => listeners.map(entry => entry[0]), deliver)
  return {
    page,
    get transport() {
      return transport()
    },
    on(channel, listener) {
      listeners = listeners.concat([[channel, listener]])
      connection.extend()
    },
    off(channel, listener) {
      listeners = listeners.filter(entry => entry[0] !== channel || (listener && entry[1] !== listener))
    },
    callback(name, listener) {
      callbacks = callbacks.concat([[name, listener]])
    },
    close: connection.close,
  }
}
