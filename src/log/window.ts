import type { Clock } from '../clock.js'
import type { Cursor, Since } from '../cursor.js'
import type { Frame } from '../frame.js'
import { ChannelIndex } from './channel-index.js'
import type { Entry } from './entry.js'
import { EntryQueue } from './entry-queue.js'
import type { Retention } from './message-log.js'

/**
 * Why messages may be missing: `old` (evicted), `unknown` (a place that this log never had), `ahead` (a place this node did
 * not reach in time), `malformed` (not a cursor), `reset` (the log lost its tail or was begun anew).
 */
export type GapReason = 'old' | 'unknown' | 'ahead' | 'malformed' | 'reset'

/** What a cursor is worth here: the place to go on from, a place this node has yet to reach, or a gap. */
export type Start =
  | { readonly kind: 'good'; readonly from: Cursor }
  | { readonly kind: 'ahead'; readonly n: number }
  | { readonly kind: 'gap'; readonly reason: GapReason }

/** A part of what a subscriber has yet to get. */
export interface Page {
  readonly frames: readonly Frame[]
  /** The place that the page reaches: *applied* when it is the last. */
  readonly to: number
  readonly isLast: boolean
}

/**
 * What this node holds in memory of the log's newest part, indexed by routing key. All reads are from it.
 *
 * Reading costs by what is read and by the number of keys, not by what is held.
 */
export class Window {
  readonly #clock: Clock
  readonly #retention: Retention
  #entries: EntryQueue
  #index = new ChannelIndex()
  #birthMs = 0

  constructor(options: { clock: Clock; retention: Retention }) {
    this.#clock = options.clock
    this.#retention = options.retention
    this.#entries = new EntryQueue({ ms: 0, n: 0 }, options.retention)
  }

  /** The last entry that was added: what "newest" means on this node. */
  get applied(): Cursor {
    return this.#entries.head
  }

  /** Entries held, and the bytes they count for. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.length, bytes: this.#entries.bytes }
  }

  /** Begins anew, empty, at `floor`, in a log born at `birthMs` (Unix time). */
  reset(floor: Cursor, birthMs: number): void {
    this.#birthMs = birthMs
    this.#entries = new EntryQueue(floor, this.#retention)
    this.#index = new ChannelIndex()
  }

  /** Adds the next entry and evicts what is over the retention. */
  add(entry: Entry): void {
    this.#entries.push(entry)
    if (isReplayed(entry)) for (const key of entry.keys) this.#index.add(key, entry.cursor.n)
    this.evict()
  }

  /** Evicts what is over the retention; to be called now and then where nothing is added. */
  evict(): void {
    const now = this.#clock.now()
    for (let entry = this.#entries.evict(now); entry !== undefined; entry = this.#entries.evict(now)) {
      if (!isReplayed(entry)) continue
      for (const key of entry.keys) this.#index.evict(key, entry.cursor, entry.expiresMs > now)
    }
  }

  /**
   * Judges where a subscriber wants to go on from. Without `since`: from *applied*.
   *
   * A cursor is good if the entry at its `n` has exactly its `ms`, or it is the floor, or it lies below the floor and no entry
   * for the subscriber's own keys was evicted after it.
   */
  start(since: Since | undefined, keys: readonly string[]): Start {
    if (since === undefined) return { kind: 'good', from: this.applied }
    if (since === 'malformed') return { kind: 'gap', reason: 'malformed' }
    return 'cursor' in since ? this.#startAtCursor(since.cursor, keys) : this.#startAtTime(since.timeMs, keys)
  }

  /** Whether a reader who had everything up to `n` can read on without missing anything. */
  holdsAfter(n: number, keys: readonly string[]): boolean {
    return n >= this.#entries.floor.n || this.#index.lastEvicted(keys).n <= n
  }

  /** Reads what stands after the place `n` for the keys: at most `maxBytes`, but at least one frame if there is any. */
  read(n: number, keys: readonly string[], maxBytes: number): Page {
    const now = this.#clock.now()
    const frames: Frame[] = []
    let bytes = 0
    let to = n
    for (const place of this.#index.after(n, keys)) {
      const entry = this.#entries.get(place)
      if (entry?.kind === 'message' && entry.expiresMs > now) {
        bytes += entry.frame.bytes.length
        if (bytes > maxBytes && frames.length > 0) return { frames, to, isLast: false }
        frames.push(entry.frame)
      }
      to = place
    }
    return { frames, to: this.applied.n, isLast: true }
  }

  #startAtCursor(cursor: Cursor, keys: readonly string[]): Start {
    const { floor, head } = this.#entries
    if (cursor.ms < this.#birthMs) return { kind: 'gap', reason: 'unknown' }
    if (cursor.n > head.n) return { kind: 'ahead', n: cursor.n }
    if (cursor.n < floor.n) {
      const isWhole = cursor.ms <= floor.ms && this.holdsAfter(cursor.n, keys)
      return isWhole ? { kind: 'good', from: cursor } : { kind: 'gap', reason: 'old' }
    }
    const there = cursor.n === floor.n ? floor : this.#entries.get(cursor.n)?.cursor
    return there?.ms === cursor.ms ? { kind: 'good', from: cursor } : { kind: 'gap', reason: 'unknown' }
  }

  /** Entries of the very millisecond are read again: a page printed in it may or may not hold what they say. */
  #startAtTime(timeMs: number, keys: readonly string[]): Start {
    const { floor, head } = this.#entries
    if (timeMs > head.ms) return { kind: 'good', from: head }
    if (timeMs !== 0) {
      if (timeMs < this.#birthMs) return { kind: 'gap', reason: 'old' }
      if (timeMs <= this.#index.lastEvicted(keys).ms) return { kind: 'gap', reason: 'old' }
    }
    let low = floor.n + 1
    let high = head.n + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#entries.get(middle)?.cursor.ms ?? 0) >= timeMs) high = middle
      else low = middle + 1
    }
    return { kind: 'good', from: this.#entries.get(low - 1)?.cursor ?? floor }
  }
}

function isReplayed(entry: Entry): entry is Entry & { kind: 'message' } {
  return entry.kind === 'message' && entry.expiresMs > entry.cursor.ms
}
