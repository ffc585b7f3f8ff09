import type { Message } from './message.js'

/** A message that waits. */
export interface Waiting {
  /** As the caller gave it, to tell which one was dropped. */
  readonly message: Message
  /** As it will be sent; written at once, so that nobody changes it meanwhile. */
  readonly json: string
  readonly bytes: number
  /** From the monotonic clock. */
  readonly sinceMs: number
}

/** What a queue may hold. Over either the oldest go: a server that is away for hours must not fill the CMS's memory. */
export interface QueueLimit {
  readonly messages: number
  readonly bytes: number
}

/** Messages in the order in which they are to be sent. */
export class Queue {
  readonly #limit: QueueLimit
  #waiting: Waiting[] = []
  #bytes = 0

  constructor(limit: QueueLimit) {
    this.#limit = limit
  }

  get length(): number {
    return this.#waiting.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Adds one at the end. Returns the oldest, which had to go for it; the message itself when it alone is too large. */
  push(waiting: Waiting): readonly Waiting[] {
    this.#waiting.push(waiting)
    this.#bytes += waiting.bytes
    return this.#fit()
  }

  /** Puts back in front what was taken and could not be sent. Returns the oldest, which had to go. */
  putBack(batch: readonly Waiting[]): readonly Waiting[] {
    this.#waiting = [...batch, ...this.#waiting]
    for (const { bytes } of batch) this.#bytes += bytes
    return this.#fit()
  }

  /** Takes the oldest of those that came until `untilMs`, as many as fit; at least one if there is any. */
  take(most: QueueLimit, untilMs: number): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const waiting of this.#waiting) {
      // A comma or a bracket comes with each.
      bytes += waiting.bytes + 1
      if (waiting.sinceMs > untilMs || count === most.messages || (count > 0 && bytes > most.bytes)) break
      count += 1
    }
    return this.#remove(count)
  }

  /** Takes those that have waited since before `ms`. */
  takeBefore(ms: number): readonly Waiting[] {
    const fresh = this.#waiting.findIndex(({ sinceMs }) => sinceMs >= ms)
    return this.#remove(fresh === -1 ? this.#waiting.length : fresh)
  }

  /** Takes all. */
  takeAll(): readonly Waiting[] {
    return this.#remove(this.#waiting.length)
  }

  #fit(): readonly Waiting[] {
    let bytes = this.#bytes
    let count = 0
    for (const waiting of this.#waiting) {
      if (this.#waiting.length - count <= this.#limit.messages && bytes <= this.#limit.bytes) break
      bytes -= waiting.bytes
      count += 1
    }
    return this.#remove(count)
  }

  #remove(count: number): readonly Waiting[] {
    const [first] = this.#waiting
    if (count === 0 || first === undefined) return []
    // While the server is away each message that comes makes one go: `splice` would copy the whole queue for it.
    const removed = count === 1 ? [first] : this.#waiting.splice(0, count)
    if (count === 1) this.#waiting.shift()
    for (const { bytes } of removed) this.#bytes -= bytes
    return removed
  }
}
