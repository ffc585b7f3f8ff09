import type { Cursor, Since } from '../../src/cursor.js'
import type { Retention } from '../../src/log/message-log.js'
import type { Start } from '../../src/log/window.js'

/** An entry as the model sees it. */
export interface ModelEntry {
  readonly cursor: Cursor
  /** None for a command. */
  readonly keys: readonly string[]
  /** What it takes of the retention's bytes. */
  readonly bytes: number
  /** Unix time in ms from which it is not read; equal to `cursor.ms`: never read. */
  readonly expiresMs: number
}

/**
 * The rules of a window, told in the simplest way: it keeps everything for ever, and looks through all of it each time. It is
 * what the real window is held against.
 */
export class WindowModel {
  readonly #retention: Retention
  readonly #begin: Cursor
  readonly #birthMs: number
  readonly #entries: ModelEntry[] = []
  #floor: Cursor
  /** Evicted while somebody could still have read it. */
  readonly #lost: ModelEntry[] = []

  constructor(floor: Cursor, birthMs: number, retention: Retention) {
    this.#begin = floor
    this.#floor = floor
    this.#birthMs = birthMs
    this.#retention = retention
  }

  get applied(): Cursor {
    return this.#entries.at(-1)?.cursor ?? this.#begin
  }

  get held(): readonly ModelEntry[] {
    return this.#entries.filter(({ cursor }) => cursor.n > this.#floor.n)
  }

  add(entry: ModelEntry, nowMs: number): void {
    this.#entries.push(entry)
    this.evict(nowMs)
  }

  evict(nowMs: number): void {
    const { entries, bytes, ageMs } = this.#retention
    for (const entry of this.held) {
      const held = this.held
      const isOver =
        held.length > entries ||
        held.reduce((sum, each) => sum + each.bytes, 0) > bytes ||
        entry.cursor.ms <= nowMs - ageMs
      if (!isOver) return
      this.#floor = entry.cursor
      if (entry.expiresMs > entry.cursor.ms && entry.expiresMs > nowMs) this.#lost.push(entry)
    }
  }

  start(since: Since | undefined, keys: readonly string[]): Start {
    if (since === undefined) return { kind: 'good', from: this.applied }
    if (since === 'malformed') return { kind: 'gap', reason: 'malformed' }
    return 'cursor' in since ? this.#startAtCursor(since.cursor, keys) : this.#startAtTime(since.timeMs, keys)
  }

  /** The `n` of what there is to read after `n`. */
  read(n: number, keys: readonly string[], nowMs: number): readonly number[] {
    return this.held
      .filter(entry => entry.cursor.n > n && isFor(entry, keys))
      .filter(({ cursor, expiresMs }) => expiresMs > cursor.ms && expiresMs > nowMs)
      .map(({ cursor }) => cursor.n)
  }

  #startAtCursor(cursor: Cursor, keys: readonly string[]): Start {
    if (cursor.ms < this.#birthMs) return { kind: 'gap', reason: 'unknown' }
    if (cursor.n > this.applied.n) return { kind: 'ahead', place: cursor }
    if (cursor.n >= this.#floor.n) {
      const isThere = [this.#floor, ...this.held.map(entry => entry.cursor)].some(
        place => place.n === cursor.n && place.ms === cursor.ms,
      )
      return isThere ? { kind: 'good', from: cursor } : { kind: 'gap', reason: 'unknown' }
    }
    const isMissed =
      cursor.n < this.#begin.n || this.#lost.some(entry => entry.cursor.n > cursor.n && isFor(entry, keys))
    return isMissed || cursor.ms > this.#floor.ms
      ? { kind: 'gap', reason: 'old' }
      : { kind: 'good', from: cursor }
  }

  #startAtTime(timeMs: number, keys: readonly string[]): Start {
    const before = this.held.filter(({ cursor }) => cursor.ms < timeMs)
    const from = before.at(-1)?.cursor ?? this.#floor
    if (timeMs === 0 || timeMs > this.applied.ms) return { kind: 'good', from }
    const isUnknown = timeMs < this.#birthMs || (this.#begin.n > 0 && timeMs <= this.#begin.ms)
    const isMissed = this.#lost.some(entry => entry.cursor.ms >= timeMs && isFor(entry, keys))
    return isUnknown || isMissed ? { kind: 'gap', reason: 'old' } : { kind: 'good', from }
  }
}

function isFor({ keys }: ModelEntry, wanted: readonly string[]): boolean {
  return keys.some(key => wanted.includes(key))
}
