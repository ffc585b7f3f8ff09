import type { Cursor } from '../cursor.js'
import { type Entry, entryBytes } from './entry.js'
import type { Retention } from './message-log.js'

/** Empty places at the front of the array that are tolerated before it is cut. */
const slack = 1_024

/** Entries in order, found by their `n`, evicted from the front when over the retention. */
export class EntryQueue {
  readonly #retention: Retention
  #entries: (Entry | undefined)[] = []
  #start = 0
  #bytes = 0
  #floor: Cursor

  constructor(floor: Cursor, retention: Retention) {
    this.#floor = floor
    this.#retention = retention
  }

  /** The place just before the oldest entry held. */
  get floor(): Cursor {
    return this.#floor
  }

  /** The newest entry's place, or the floor. */
  get head(): Cursor {
    return this.#entries.at(-1)?.cursor ?? this.#floor
  }

  get length(): number {
    return this.#entries.length - this.#start
  }

  /** Bytes held, as the retention counts them. */
  get bytes(): number {
    return this.#bytes
  }

  /** The entry with that `n`, if it is held. */
  get(n: number): Entry | undefined {
    const index = n - this.#floor.n - 1
    return index < 0 ? undefined : this.#entries[this.#start + index]
  }

  /** Adds the newest entry. Its `n` must follow the head's. */
  push(entry: Entry): void {
    if (entry.cursor.n !== this.head.n + 1)
      throw new RangeError('an entry must follow the last one without a hole')
    this.#entries.push(entry)
    this.#bytes += entryBytes(entry)
  }

  /** Removes and returns the oldest entry if the retention says so at the time `nowMs`. */
  evict(nowMs: number): Entry | undefined {
    const oldest = this.#entries[this.#start]
    if (oldest === undefined) return undefined
    const { entries, bytes, ageMs } = this.#retention
    if (this.length <= entries && this.#bytes <= bytes && oldest.cursor.ms > nowMs - ageMs) return undefined
    this.#entries[this.#start] = undefined
    this.#start += 1
    this.#bytes -= entryBytes(oldest)
    this.#floor = oldest.cursor
    if (this.#start >= slack && this.#start * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start)
      this.#start = 0
    }
    return oldest
  }

  /** The entries after the place `n`, in order. */
  *after(n: number): Generator<Entry> {
    for (let next = Math.max(n, this.#floor.n) + 1; ; next++) {
      const entry = this.get(next)
      if (entry === undefined) return
      yield entry
    }
  }
}
