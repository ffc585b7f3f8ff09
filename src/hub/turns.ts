import type { Clock } from '../clock.js'

/**
 * How long one turn of the event loop may be held, in ms: a fan-out to 10,000 sockets would block it for 80. A new connection needs
 * some turns until it is answered; with 5 ms a turn, that took up to 36 ms. Shorter turns cost the fan-out nothing that was seen.
 */
const turnMs = 2

/** How long, in ms, one holder may work while others wait in the same turn: who has little to do is not kept by who has much. */
const shareMs = 0.5

/** Somebody with work that may take more than one turn. */
export interface TurnTaker {
  /** Works on what was there when its turn began, until it is done or `untilMs` (monotonic) has passed; whether it is done. */
  work(untilMs: number): boolean
  /** Whether there is anything to do. */
  readonly hasWork: boolean
}

/**
 * The turns of one event loop, given to all who have much to do in them: a part of each turn for each, round and round, so that
 * the fan-out of one site holds up that of another by no more than its share.
 */
export class Turns {
  readonly #clock: Clock
  /** In the order in which they have waited. */
  readonly #waiting = new Set<TurnTaker>()
  #isScheduled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Has the taker work in the next turn, or as soon after it as others leave time. */
  take(taker: TurnTaker): void {
    this.#waiting.add(taker)
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.soon(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    const endMs = this.#clock.monotonic() + turnMs
    const round = new Set(this.#waiting)
    try {
      // A set is walked in the order of its additions: who is put back comes again, after the others.
      for (const taker of round) {
        round.delete(taker)
        const untilMs = round.size === 0 ? endMs : this.#clock.monotonic() + shareMs
        if (!this.#give(taker, Math.min(endMs, untilMs))) round.add(taker)
        if (this.#clock.monotonic() >= endMs) break
      }
    } finally {
      const [next] = this.#waiting
      if (next !== undefined) this.take(next)
    }
  }

  /** Whoever has more to do goes to the end of those who wait. */
  #give(taker: TurnTaker, untilMs: number): boolean {
    this.#waiting.delete(taker)
    try {
      return taker.work(untilMs)
    } finally {
      if (taker.hasWork) this.#waiting.add(taker)
    }
  }
}

const turnsOf = new WeakMap<Clock, Turns>()

/** The turns that all holders of the clock share: there is one clock to an event loop. */
export function sharedTurns(clock: Clock): Turns {
  const known = turnsOf.get(clock)
  if (known !== undefined) return known
  const turns = new Turns(clock)
  turnsOf.set(clock, turns)
  return turns
}
