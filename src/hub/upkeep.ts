import type { Clock } from '../clock.js'
import { Frame } from '../frame.js'
import type { Window } from '../log/window.js'
import type { CloseReason } from './close-reason.js'
import type { Outboxes } from './outboxes.js'
import type { Subscriber } from './subscriber.js'
import { TimerWheel, tickMs } from './timer-wheel.js'

/** How long a cursor ahead of this node is waited for before it is a gap, in ms. */
const aheadMs = 5_000

/** What the upkeep needs. */
export interface UpkeepOptions {
  readonly clock: Clock
  readonly window: Window
  readonly outboxes: Outboxes
  /** Milliseconds of silence on a stream after which there is a heartbeat. */
  readonly heartbeatMs: number
  /** Milliseconds without progress after which a subscriber is closed as `slow`, and a closed one is cut. */
  readonly slowAfterMs: number
  /** The place that the subscriber waits for was not reached in time. */
  readonly onAhead: (subscriber: Subscriber) => void
  /** The subscriber's time is over. */
  readonly onEnd: (subscriber: Subscriber, reason: CloseReason | undefined) => void
}

/** What falls due for subscribers: heartbeats, ends, stalls, the confirming of identities. One timer for everybody. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #wheel: TimerWheel<Subscriber>
  #heartbeat: Frame | undefined

  constructor(options: UpkeepOptions) {
    this.#options = options
    this.#wheel = new TimerWheel(options.clock, (subscriber, tick) => this.#due(subscriber, tick))
  }

  /** Begins with a subscriber: it ends after `lifeMs`, and its owner is called after `recheckMs` (undefined: never). */
  begin(subscriber: Subscriber, lifeMs: number | undefined, recheckMs: number | undefined): void {
    // The first look at a random time, so that the heartbeats of those who came together are spread.
    const firstLookMs = Math.random() * this.#lookMs
    if (subscriber.sink.transport === 'sse') subscriber.heartbeatTick = this.#wheel.in(firstLookMs)
    if (lifeMs !== undefined) subscriber.endTick = this.#wheel.in(lifeMs)
    if (recheckMs !== undefined) subscriber.recheckTick = this.#wheel.in(recheckMs)
    if (subscriber.state === 'waiting') subscriber.stalledTick = this.#wheel.in(aheadMs)
    this.#wheel.schedule(subscriber, subscriber.nextTick)
  }

  /** The subscriber must make progress from now on. */
  stall(subscriber: Subscriber): void {
    subscriber.stalledTick = this.#wheel.in(this.#options.slowAfterMs)
    this.#wheel.schedule(subscriber, subscriber.nextTick)
  }

  /** Sets the next time, `ms` from now, at which the owner is called. */
  recheckIn(subscriber: Subscriber, ms: number): void {
    subscriber.recheckTick = this.#wheel.in(ms)
    this.#wheel.schedule(subscriber, subscriber.nextTick)
  }

  /** A closed subscriber that has not sent its last bytes in time is cut. */
  linger(subscriber: Subscriber): void {
    this.#wheel.schedule(subscriber, this.#wheel.in(this.#options.slowAfterMs))
  }

  /** Cuts all who linger. */
  cut(): void {
    for (const subscriber of this.#wheel.items()) if (subscriber.state === 'closed') subscriber.sink.destroy()
  }

  /** Nothing is due for the subscriber any more. */
  forget(subscriber: Subscriber): void {
    this.#wheel.remove(subscriber)
  }

  /** Stops the timer. */
  stop(): void {
    this.#wheel.stop()
  }

  #due(subscriber: Subscriber, tick: number): void {
    if (subscriber.state === 'closed') {
      subscriber.sink.destroy()
      return
    }
    if (isDue(subscriber.stalledTick, tick)) {
      if (subscriber.state !== 'waiting') {
        this.#options.onEnd(subscriber, 'slow')
        return
      }
      this.#options.onAhead(subscriber)
    }
    if (isDue(subscriber.endTick, tick)) {
      this.#options.onEnd(subscriber, subscriber.endReason)
      return
    }
    if (isDue(subscriber.heartbeatTick, tick)) this.#beat(subscriber)
    const isOwnerDue = isDue(subscriber.recheckTick, tick)
    if (isOwnerDue) subscriber.recheckTick = 0
    this.#wheel.schedule(subscriber, subscriber.nextTick)
    // The last: the owner may close, and what is scheduled then must stand.
    if (isOwnerDue) subscriber.owner.due(subscriber)
  }

  /** How often it is looked whether a heartbeat is due, in ms: in whole ticks, so that two looks are no longer than the interval. */
  get #lookMs(): number {
    return Math.max(1, Math.floor(this.#options.heartbeatMs / 2 / tickMs)) * tickMs
  }

  /**
   * A message since the last look is as good as a heartbeat, and of two looks one sends it: silence is never longer than the interval.
   * Only who is live has everything up to *applied*; who is blocked is not reading.
   */
  #beat(subscriber: Subscriber): void {
    const { window, outboxes } = this.#options
    subscriber.heartbeatTick = this.#wheel.in(this.#lookMs)
    if (subscriber.state !== 'live' || subscriber.sink.isBlocked) return
    const wasSilent = !subscriber.hasHeard
    subscriber.hasHeard = wasSilent
    if (!wasSilent) return
    const { applied } = window
    if (this.#heartbeat?.cursor !== applied) this.#heartbeat = new Frame('heartbeat', applied, '')
    outboxes.put(subscriber, this.#heartbeat)
    outboxes.queue(subscriber)
  }
}

function isDue(dueTick: number, tick: number): boolean {
  return dueTick !== 0 && dueTick <= tick
}
