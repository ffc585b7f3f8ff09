import type { Subscriber } from '../hub/subscriber.js'
import type { EndReason } from '../hub/watcher.js'
import { channelOf } from '../message.js'

/** An open stream or a waiting poll, as `onOpen` and `onClose` see it: the same object in both. A poller opens one for each poll. */
export interface Connection {
  /** The site it is to. */
  readonly site: string
  readonly transport: 'sse' | 'poll'
  /** The user; null: an anonymous reader, or the holder of a service key. */
  readonly uid: string | null
  /** The channels it listens on now. */
  readonly channels: readonly string[]
}

/** Why a connection is over: a close reason, `left` where the client went, `answered` where a poll was. */
export type { EndReason }

/** The hub's subscriber behind the connection's face. */
export class SubscriberConnection implements Connection {
  readonly site: string
  readonly #subscriber: Subscriber

  constructor(site: string, subscriber: Subscriber) {
    this.site = site
    this.#subscriber = subscriber
  }

  get transport(): 'sse' | 'poll' {
    return this.#subscriber.sink.transport
  }

  get uid(): string | null {
    return this.#subscriber.uid
  }

  get channels(): readonly string[] {
    return this.#subscriber.keys.map(channelOf).filter(channel => channel !== undefined)
  }
}
