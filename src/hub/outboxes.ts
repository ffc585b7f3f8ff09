import type { Clock } from '../clock.js'
import type { Cursor } from '../cursor.js'
import type { Frame } from '../frame.js'
import type { Window } from '../log/window.js'
import { Batch } from './batch.js'
import { SlicedQueue } from './sliced-queue.js'
import type { Subscriber } from './subscriber.js'

/** Below this many bytes under the limit an outbox is not even measured. */
const measureFromBytes = 256 * 1024

/** What was put into outboxes since the start. */
export interface DeliveryCounters {
  /** Frames put into outboxes. */
  deliveries: number
  /** Times an outbox overflowed. */
  overflows: number
}

/** What the outboxes need. */
export interface OutboxesOptions {
  readonly clock: Clock
  readonly window: Window
  /** Bytes that may wait for one subscriber, those handed over included, before its queue is dropped. */
  readonly outboxBytes: number
  readonly counters: DeliveryCounters
  /** The subscriber's place is no longer held: it must be told of a gap. */
  readonly onLost: (subscriber: Subscriber) => void
  /** The sink takes nothing more for now. */
  readonly onStall: (subscriber: Subscriber) => void
}

/**
 * What waits for the subscribers, and its writing: together for all that was put in one turn, sliced over turns, and from the
 * window for who is catching up. Resume, slow reader and long-poll are this one mechanism.
 */
export class Outboxes {
  readonly #options: OutboxesOptions
  readonly #outgoing: SlicedQueue<Subscriber>
  /** The batch that was begun last: a frame for many begins the same batch in each of their outboxes. */
  #begun: Batch | undefined

  constructor(options: OutboxesOptions) {
    this.#options = options
    this.#outgoing = new SlicedQueue(options.clock, subscriber => this.flush(subscriber))
  }

  /** Outboxes that wait to be written. */
  get queued(): number {
    return this.#outgoing.length
  }

  /** Puts a message that was applied just now into the outbox, if the subscriber does not get it otherwise. */
  offer(subscriber: Subscriber, frame: Frame, n: number): void {
    // Who is catching up reads it from the window; who listens on several of its channels has it already.
    if (subscriber.state !== 'live' || subscriber.position >= n) return
    subscriber.position = n
    this.#deliver(subscriber, frame)
  }

  /** Puts a message into the outbox that is not in the log, unless what it tells comes otherwise. */
  offerPresence(subscriber: Subscriber, frame: Frame): void {
    // Who has lost some is told anew. A poll that waits for its place must not be answered before it has waited.
    const isPollAhead = subscriber.state === 'waiting' && subscriber.sink.transport === 'poll'
    if (subscriber.state === 'closed' || subscriber.hasLostPresence || isPollAhead) return
    this.#deliver(subscriber, frame)
  }

  /** Puts a frame into the outbox and returns the bytes that wait there. */
  put(subscriber: Subscriber, frame: Frame): number {
    const { pending } = subscriber
    if (pending !== undefined) subscriber.pending = pending.append(frame)
    else {
      if (this.#begun === undefined || !this.#begun.holdsOnly(frame)) this.#begun = new Batch(frame)
      subscriber.pending = this.#begun
    }
    return subscriber.pending?.bytes ?? 0
  }

  /** Drops the messages that wait, and nothing else. */
  dropMessages(subscriber: Subscriber): void {
    const frames = subscriber.pending?.frames() ?? []
    if (frames.some(frame => frame.isPresence)) subscriber.hasLostPresence = true
    subscriber.pending = Batch.of(frames.filter(({ event }) => event !== 'message' && event !== 'heartbeat'))
  }

  /** Has the outbox written at the end of the turn. */
  queue(subscriber: Subscriber): void {
    if (subscriber.isQueued) return
    subscriber.isQueued = true
    this.#outgoing.push(subscriber)
  }

  /** Writes as much as the sink takes at once. */
  flush(subscriber: Subscriber): void {
    subscriber.isQueued = false
    const { sink } = subscriber
    if (subscriber.state === 'closed' || sink.isBlocked) return
    if (subscriber.state === 'catching-up') this.#readPage(subscriber)
    if (subscriber.pending !== undefined) {
      const [first, rest] = subscriber.pending.split(sink.pageBytes)
      subscriber.pending = rest
      subscriber.hasHeard ||= first.firstN !== undefined
      sink.write(first)
    }
    if (sink.isBlocked) {
      this.#options.onStall(subscriber)
      return
    }
    // Not before everything is written: a reader that stays behind would be told again and again.
    if (subscriber.hasLostPresence && subscriber.pending === undefined) {
      subscriber.hasLostPresence = false
      subscriber.owner.renew(subscriber)
    }
    if (subscriber.pending !== undefined || subscriber.state === 'catching-up') this.queue(subscriber)
    else if (this.#outgoing.length === 0) this.#begun = undefined
  }

  /**
   * What is still to be written to a subscriber that is ended: what waits, then `closing`. `reached`: with that it has everything
   * up to there; undefined: only what was written is known.
   */
  last(
    subscriber: Subscriber,
    closing: Frame | undefined,
  ): { readonly batch: Batch | undefined; readonly reached: Cursor | undefined } {
    let hasAll = subscriber.state === 'live'
    if (closing !== undefined) {
      // A blocked sink takes no more messages: the client has its cursor and comes back for them.
      if (subscriber.sink.isBlocked && subscriber.pending !== undefined) {
        subscriber.pending = undefined
        hasAll = false
      }
      this.put(subscriber, closing)
    }
    return { batch: subscriber.pending, reached: hasAll ? this.#options.window.applied : undefined }
  }

  #deliver(subscriber: Subscriber, frame: Frame): void {
    const { counters, outboxBytes } = this.#options
    counters.deliveries += 1
    const bytes = this.put(subscriber, frame)
    const mayOverflow = bytes + measureFromBytes > outboxBytes
    if (mayOverflow && bytes + subscriber.sink.backlogBytes > outboxBytes) this.#overflow(subscriber)
    this.queue(subscriber)
  }

  /** Drops what waits and goes back to reading the window, from before the first message dropped; none: it has them all. */
  #overflow(subscriber: Subscriber): void {
    this.#options.counters.overflows += 1
    const firstN = subscriber.pending?.firstN
    this.dropMessages(subscriber)
    if (firstN === undefined) return
    subscriber.position = firstN - 1
    subscriber.state = 'catching-up'
  }

  #readPage(subscriber: Subscriber): void {
    const { window, counters, onLost } = this.#options
    const { keys, position, sink } = subscriber
    if (!window.holdsAfter(position, keys)) {
      onLost(subscriber)
      return
    }
    const page = window.read(position, keys, sink.pageBytes)
    for (const frame of page.frames) this.put(subscriber, frame)
    counters.deliveries += page.frames.length
    subscriber.position = page.to
    if (page.isLast) subscriber.state = 'live'
  }
}
