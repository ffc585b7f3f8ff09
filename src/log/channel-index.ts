import type { Cursor } from '../cursor.js'

/** Keys whose last eviction is remembered; over it, a cursor below the floor is believed less often, never wrongly. */
const maxEvictedKeys = 10_000

/** Places evicted from the front of a list that are tolerated before it is cut. */
const slack = 64

interface Places {
  /** The `n` of each entry for the key, ascending. */
  list: number[]
  start: number
}

const nowhere: Cursor = { ms: 0, n: 0 }

/** Where the entries of each routing key stand, and where the last one evicted stood. */
export class ChannelIndex {
  readonly #places = new Map<string, Places>()
  /** In order of eviction, oldest first. */
  readonly #evicted = new Map<string, Cursor>()
  /** The latest eviction among the keys that are no longer remembered. */
  #forgotten = nowhere

  /** Notes that the entry `n`, the newest of all, is for `key`. */
  add(key: string, n: number): void {
    const places = this.#places.get(key)
    if (places === undefined) this.#places.set(key, { list: [n], start: 0 })
    else places.list.push(n)
  }

  /** Notes that the oldest entry for `key` is gone. `counts`: a reader who has not seen it may be missing something. */
  evict(key: string, cursor: Cursor, counts: boolean): void {
    const places = this.#places.get(key)
    if (places !== undefined) {
      places.start += 1
      if (places.start === places.list.length) this.#places.delete(key)
      else if (places.start >= slack && places.start * 2 >= places.list.length) {
        places.list = places.list.slice(places.start)
        places.start = 0
      }
    }
    if (!counts) return
    this.#evicted.delete(key)
    this.#evicted.set(key, cursor)
    if (this.#evicted.size <= maxEvictedKeys) return
    for (const [oldest, at] of this.#evicted) {
      this.#evicted.delete(oldest)
      this.#forgotten = at
      return
    }
  }

  /** The last place from which an entry for any of the keys was evicted; at or after the truth, never before it. */
  lastEvicted(keys: Iterable<string>): Cursor {
    let last = this.#forgotten
    for (const key of keys) {
      const at = this.#evicted.get(key)
      if (at !== undefined && at.n > last.n) last = at
    }
    return last
  }

  /** The places after `n` of the entries for any of the keys, ascending, each once. */
  *after(n: number, keys: Iterable<string>): Generator<number> {
    const heads: { list: readonly number[]; next: number }[] = []
    for (const key of keys) {
      const places = this.#places.get(key)
      if (places === undefined) continue
      const next = firstAfter(places, n)
      if (next < places.list.length) heads.push({ list: places.list, next })
    }
    while (heads.length > 0) {
      let smallest = Number.POSITIVE_INFINITY
      for (const { list, next } of heads) smallest = Math.min(smallest, list[next] ?? smallest)
      yield smallest
      for (let index = heads.length - 1; index >= 0; index--) {
        const head = heads[index]
        if (head === undefined || head.list[head.next] !== smallest) continue
        head.next += 1
        if (head.next === head.list.length) heads.splice(index, 1)
      }
    }
  }
}

/** The position in the list of the first place after `n`, by bisection. */
function firstAfter({ list, start }: Places, n: number): number {
  let low = start
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] ?? 0) > n) high = middle
    else low = middle + 1
  }
  return low
}
