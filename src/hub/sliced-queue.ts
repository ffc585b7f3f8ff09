import type { Clock } from '../clock.js'

/** How long one turn of the event loop may be held, in ms: a fan-out to 10,000 sockets would block it for 80. */
const sliceMs = 5

/** Items between two looks at the clock. */
const stride = 32

/**
 * Work on many items, each at the end of the turn in which it was pushed or later, sliced over turns.
 *
 * Each round begins at a random item, so that the same ones are not always last.
 */
export class SlicedQueue<Item> {
  readonly #clock: Clock
  readonly #work: (item: Item) => void
  #waiting: Item[] = []
  #round: Item[] = []
  #offset = 0
  #done = 0
  #isScheduled = false

  constructor(clock: Clock, work: (item: Item) => void) {
    this.#clock = clock
    this.#work = work
  }

  /** Items that wait. */
  get length(): number {
    return this.#waiting.length + this.#round.length - this.#done
  }

  push(item: Item): void {
    this.#waiting.push(item)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.soon(() => {
      this.#isScheduled = false
      this.#runSlice()
      if (this.length > 0) this.#schedule()
    })
  }

  #runSlice(): void {
    if (this.#done === this.#round.length) this.#beginRound()
    const endMs = this.#clock.monotonic() + sliceMs
    const size = this.#round.length
    while (this.#done < size) {
      const item = this.#round[(this.#offset + this.#done) % size]
      this.#done += 1
      if (item !== undefined) this.#work(item)
      if (this.#done % stride === 0 && this.#clock.monotonic() >= endMs) return
    }
    this.#round = []
    this.#done = 0
  }

  #beginRound(): void {
    this.#round = this.#waiting
    this.#waiting = []
    this.#done = 0
    this.#offset = Math.floor(Math.random() * this.#round.length)
  }
}
