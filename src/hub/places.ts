import { type Cursor, formatCursor, type Since } from '../cursor.js'
import { Frame } from '../frame.js'
import type { GapReason, Window } from '../log/window.js'
import type { HubCounters } from './counters.js'
import type { Outboxes } from './outboxes.js'
import type { Join, Subscriber } from './subscriber.js'

/** What the places need. */
export interface PlacesOptions {
  readonly window: Window
  readonly outboxes: Outboxes
  readonly counters: HubCounters
  /** How long, in ms, a return of everybody is to take, now. */
  readonly spreadMs: () => number
}

/**
 * Where subscribers stand in the log when they do not simply get what is applied: where they begin, who waits for a place that
 * this node has yet to reach, and who is told that messages may be missing.
 */
export class Places {
  readonly #options: PlacesOptions
  /** Who waits for which place. */
  readonly #waiting = new Map<Subscriber, Cursor>()

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** Puts a subscriber where it wants to go on from: `ready`, then it catches up, waits, or is told of a gap. */
  begin(subscriber: Subscriber, join: Pick<Join, 'since' | 'ready' | 'isInitial'>): void {
    const { window, outboxes } = this.#options
    const { since, ready, isInitial } = join
    const start = window.start(since, subscriber.keys)
    if (ready !== undefined) {
      // Before a gap the id is the one that was given: were it later, a cut between the two would hide the gap.
      const given = typeof since === 'object' && 'cursor' in since ? since.cursor : undefined
      outboxes.put(subscriber, new Frame('ready', start.kind === 'good' ? start.from : given, ready))
    }
    if (start.kind === 'good') subscriber.position = start.from.n
    else if (start.kind === 'gap') this.#gap(subscriber, start.reason, isInitial, since)
    else {
      subscriber.state = 'waiting'
      subscriber.position = start.place.n
      this.#waiting.set(subscriber, start.place)
    }
  }

  /** The subscriber's place is no longer held; it goes on from *applied*. */
  lose(subscriber: Subscriber): void {
    this.#gap(subscriber, 'old', false)
  }

  /** The log is another one: what waits of the old one is dropped. */
  reset(subscriber: Subscriber): void {
    const { outboxes } = this.#options
    outboxes.dropMessages(subscriber)
    this.#gap(subscriber, 'reset', false)
    outboxes.queue(subscriber)
  }

  /**
   * Lets those go on whose place is reached. What stands there now may be another entry: the place is of a tail that the log
   * lost, say.
   */
  wake(): void {
    for (const [subscriber, place] of this.#waiting) {
      const start = this.#options.window.start({ cursor: place }, subscriber.keys)
      if (start.kind === 'ahead') continue
      if (start.kind === 'good') this.#stopWaiting(subscriber, 'catching-up')
      else this.#gap(subscriber, start.reason, false, { cursor: place })
      this.#options.outboxes.queue(subscriber)
    }
  }

  /** The place that was waited for is not reached. */
  giveUp(subscriber: Subscriber): void {
    const place = this.#waiting.get(subscriber)
    this.#gap(subscriber, 'ahead', false, place && { cursor: place })
    this.#options.outboxes.queue(subscriber)
  }

  /** The subscriber waits for nothing any more. */
  forget(subscriber: Subscriber): void {
    this.#waiting.delete(subscriber)
  }

  #stopWaiting(subscriber: Subscriber, state: 'catching-up' | 'live'): void {
    this.#waiting.delete(subscriber)
    // Who does not read must still make progress in time.
    if (!subscriber.sink.isBlocked) subscriber.stalledTick = 0
    subscriber.state = state
  }

  #gap(subscriber: Subscriber, reason: GapReason, isInitial: boolean, since?: Since): void {
    const { window, outboxes, counters, spreadMs } = this.#options
    counters.gaps += 1
    const { applied } = window
    this.#stopWaiting(subscriber, 'live')
    subscriber.position = applied.n
    const gap = {
      since: sinceText(since),
      cursor: formatCursor(applied),
      reason,
      spreadMs: spreadMs(),
      initial: isInitial,
    }
    outboxes.put(subscriber, new Frame('gap', applied, JSON.stringify(gap)))
  }
}

function sinceText(since: Since | undefined): string | null {
  if (since === undefined || since === 'malformed') return null
  return 'cursor' in since ? formatCursor(since.cursor) : String(since.timeMs)
}
