import type { Message, Presence } from './frames.js'
import { channelsOf, has } from './names.js'
import type { ConnectOptions } from './options.js'
import type { Listener } from './push.js'
import { tell } from './tell.js'

/** Who in the page listens to what. */
export interface Dispatcher {
  /** Adds a listener of a channel. */
  on(channel: string, listener: Listener): void
  /** Removes a listener of a channel, or all of them. */
  off(channel: string, listener?: Listener): void
  /** Adds a listener for messages that name a callback. */
  callback(name: string, listener: Listener): void
  /** The channels that have listeners; a name may come twice. */
  channels(): string[]
  /** Runs what a message is for: each listener once, in the order in which they were added. */
  deliver(message: Message): void
}

// What has an id was published, whatever it calls itself.
function isPresence(message: Message): message is Message<Presence> {
  return message.type === 'presence' && !message.id
}

/** The page view's id, one for all its connections. Not a secret, so that Math.random will do. */
export const page = String(Math.random()).slice(2) + Date.now()

/** Creates a dispatcher that drops the messages which are not for this page view. */
export function createDispatcher(options: ConnectOptions): Dispatcher {
  // Lists, not objects: a channel may be called `__proto__`, and Map is not there in all browsers.
  type Entry = readonly [name: string, listener: Listener]
  let listeners: readonly Entry[] = []
  const callbacks: Entry[] = []
  const none: readonly string[] = []

  return {
    on(channel, listener) {
      listeners = listeners.concat([[channel, listener]])
    },
    off(channel, listener) {
      listeners = listeners.filter(entry => entry[0] !== channel || (listener && entry[1] !== listener))
    },
    callback(name, listener) {
      callbacks.push([name, listener])
    },
    channels() {
      return listeners.map(entry => entry[0])
    },
    deliver(message) {
      if (message.except === page) return
      const named = message.callback
      const names = named ? none.concat(named) : channelsOf(message)
      const chosen: Listener[] = options.onmessage ? [options.onmessage] : []
      const entries = named ? callbacks : listeners
      entries.forEach(entry => {
        if (has(names, entry[0]) && !has(chosen, entry[1])) chosen.push(entry[1])
      })
      chosen.forEach(listener => {
        tell(listener, message.data, message)
      })
      if (isPresence(message)) tell(options.onpresence, message.data)
    },
  }
}
