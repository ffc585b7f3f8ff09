import type { Clock } from '../clock.js'

/** No place for the call, or none in time; transient. */
export class CallLimitReached extends Error {}

interface Waiter {
  readonly start: () => void
  readonly refuse: () => void
  readonly untilMs: number
}

/**
 * At most so many calls at once; the others wait their turn in a bounded queue, each at most `queueMs`. It keeps a crowd that
 * comes back after an outage from becoming an attack on the CMS.
 */
export class CallLimit {
  readonly #clock: Clock
  readonly #atOnce: number
  readonly #queueLength: number
  readonly #queueMs: number
  readonly #queue = new Set<Waiter>()
  #running = 0
  #isWatched = false

  constructor(options: { clock: Clock; atOnce: number; queueLength: number; queueMs: number }) {
    this.#clock = options.clock
    this.#atOnce = options.atOnce
    this.#queueLength = options.queueLength
    this.#queueMs = options.queueMs
  }

  /** Calls that run. */
  get running(): number {
    return this.#running
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#queue.size
  }

  /** Runs `call` as soon as there is a place. @throws CallLimitReached when the queue is full or the wait too long. */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#atOnce) await this.#place()
    else this.#running += 1
    try {
      return await call()
    } finally {
      this.#next()
    }
  }

  #place(): Promise<void> {
    if (this.#queue.size >= this.#queueLength)
      return Promise.reject(new CallLimitReached('the queue is full'))
    const untilMs = this.#clock.monotonic() + this.#queueMs
    const { promise, resolve, reject } = withResolvers()
    const refuse = () => reject(new CallLimitReached('no place came free in time'))
    this.#queue.add({ start: resolve, refuse, untilMs })
    if (!this.#isWatched) this.#watch()
    return promise
  }

  /** Hands the place of a call that has ended to the next one that still wants it. */
  #next(): void {
    for (const waiter of this.#queue) {
      this.#queue.delete(waiter)
      waiter.start()
      return
    }
    this.#running -= 1
  }

  /** One timer for the whole queue: all wait equally long, so the first is always the first to be refused. */
  #watch(): void {
    const [first] = this.#queue
    this.#isWatched = first !== undefined
    if (first === undefined) return
    this.#clock.after(Math.max(1, first.untilMs - this.#clock.monotonic()), () => {
      const now = this.#clock.monotonic()
      for (const waiter of this.#queue) {
        if (waiter.untilMs > now) break
        this.#queue.delete(waiter)
        waiter.refuse()
      }
      this.#watch()
    })
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (reason: Error) => void } {
  let resolve = () => {}
  let reject: (reason: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
