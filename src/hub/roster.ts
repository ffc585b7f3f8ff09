import type { Clock } from '../clock.js'
import type { Window } from '../log/window.js'
import { routingKey } from '../message.js'
import type { Audience } from './audience.js'
import type { Subscriber, SubscriberState } from './subscriber.js'

/** A difference, in ms, by which somebody must have set the machine's clock. */
const clockSetMs = 500

/** How a subscriber stands. */
export interface Standing {
  /** Unix time in ms at which the stream, or this poll, began. */
  readonly sinceMs: number
  /** Entries of the log after its place, of whatever channel: what this node has applied and it was not yet handed. */
  readonly behind: number
  /** Bytes that wait for it here, those included that its connection has not taken. */
  readonly queuedBytes: number
  readonly state: Exclude<SubscriberState, 'closed'>
}

/** Who is connected to this node and listens on what, for looking at; it changes nothing. */
export class Roster {
  readonly #clock: Clock
  #epochMs = 0
  readonly #window: Window
  readonly #audience: Audience<Subscriber>

  constructor(clock: Clock, window: Window, audience: Audience<Subscriber>) {
    this.#clock = clock
    this.#window = window
    this.#audience = audience
  }

  /** The routing keys that somebody listens on, in no order. */
  keys(): Iterable<string> {
    return this.#audience.keys()
  }

  /** How many listen on the key. */
  count(key: string): number {
    return this.#audience.count(key)
  }

  /** Whether the user has an open stream or a waiting poll. */
  isConnected(uid: string): boolean {
    return this.#audience.has(routingKey.uid(uid))
  }

  /** Calls `visit` for each subscriber that listens on the key, in no order. */
  forEach(key: string, visit: (subscriber: Subscriber) => void): void {
    this.#audience.forEach(key, visit)
  }

  /** How a subscriber that was visited just now stands. @throws of one that is closed: it listens on nothing. */
  standing({ joinedMs, state, position, pending, sink }: Subscriber): Standing {
    if (state === 'closed') throw new Error('a closed subscriber has no standing')
    const { n } = this.#window.applied
    // Who is live has everything but what waits in the outbox; its position is only that of its own last message.
    const place = state === 'live' ? (pending?.firstN ?? n + 1) - 1 : position
    return {
      sinceMs: this.#epoch() + joinedMs,
      behind: Math.max(0, n - place),
      queuedBytes: (pending?.bytes ?? 0) + sink.backlogBytes,
      state,
    }
  }

  /**
   * Unix time in ms at the zero of the monotonic scale. The two are not read at one moment: taken anew only when the machine's clock
   * was set, so that what is told of a connection stays the same.
   */
  #epoch(): number {
    const epochMs = Math.round(this.#clock.now() - this.#clock.monotonic())
    if (Math.abs(epochMs - this.#epochMs) > clockSetMs) this.#epochMs = epochMs
    return this.#epochMs
  }
}
