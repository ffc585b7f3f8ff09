import type { Clock } from '../clock.js'
import { sharedTurns, type Turns, type TurnTaker } from './turns.js'

/** Items between two looks at the clock. */
const stride = 16

/**
 * Work on many items, each at the end of the turn in which it was pushed or later, sliced over turns. All queues on one clock
 * share its turns.
 *
 * Each round begins at a random item, so that the same ones are not always last.
 */
export class SlicedQueue<Item> implements TurnTaker {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #work: (item: Item) => void
  #waiting: Item[] = []
  #round: Item[] = []
  #offset = 0
  #done = 0

  constructor(clock: Clock, work: (item: Item) => void) {
    this.#clock = clock
    this.#turns = sharedTurns(clock)
    this.#work = work
  }

  /** Items that wait. */
  get length(): number {
    return this.#waiting.length + this.#round.length - this.#done
  }

  get hasWork(): boolean {
    return this.length > 0
  }

  push(item: Item): void {
    this.#waiting.push(item)
    if (this.#waiting.length === 1) this.#turns.take(this)
  }

  work(untilMs: number): boolean {
    if (this.#done === this.#round.length) this.#beginRound()
    const size = this.#round.length
    while (this.#done < size) {
      const item = this.#round[(this.#offset + this.#done) % size]
      this.#done += 1
      if (item !== undefined) this.#work(item)
      if (this.#done % stride === 0 && this.#clock.monotonic() >= untilMs) return this.#done === size
    }
    this.#round = []
    this.#done = 0
    return true
  }

  #beginRound(): void {
    this.#round = this.#waiting
    this.#waiting = []
    this.#done = 0
    this.#offset = Math.floor(Math.random() * this.#round.length)
  }
}
