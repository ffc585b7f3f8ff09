import type { Clock } from '../clock.js'
import type { Cursor } from '../cursor.js'
import { atIndex, IdempotencyConflict } from '../errors.js'
import type { Message } from '../message.js'
import { createEntry, type Entry } from './entry.js'
import { EntryQueue } from './entry-queue.js'
import type { Command, Follower, MessageLog, Retention } from './message-log.js'

/** Idempotency keys remembered at the most; over it the oldest go, so that keys cannot fill the memory. */
const maxIdempotencyKeys = 100_000

interface Remembered {
  readonly cursor: Cursor
  readonly fingerprint: string
  readonly untilMs: number
}

/** A log in this process's memory: fast, and gone with the process. An append is stored when it resolves. */
export class MemoryLog implements MessageLog {
  readonly #clock: Clock
  readonly #birthMs: number
  readonly #idempotencyWindowMs: number
  readonly #entries: EntryQueue
  readonly #followers = new Set<Follower>()
  readonly #remembered = new Map<string, Remembered>()
  #isClosed = false

  constructor(options: { clock: Clock; retention: Retention; idempotencyWindowMs: number }) {
    this.#clock = options.clock
    this.#birthMs = options.clock.now()
    this.#idempotencyWindowMs = options.idempotencyWindowMs
    this.#entries = new EntryQueue({ ms: this.#birthMs, n: 0 }, options.retention)
  }

  async append(items: readonly (Message | Command)[]): Promise<readonly Cursor[]> {
    if (this.#isClosed) throw new Error('the log is closed')
    const ms = Math.max(this.#clock.now(), this.#entries.head.ms)
    this.#forgetKeys(ms)
    this.#checkConflicts(items)
    const appended: Entry[] = []
    const cursors = items.map(item => {
      const key = item.kind === 'message' ? item.idempotency : undefined
      const before = key && this.#remembered.get(key.key)
      if (before !== undefined) return before.cursor
      const cursor = { ms, n: this.#entries.head.n + 1 }
      const entry = createEntry(cursor, item)
      this.#entries.push(entry)
      appended.push(entry)
      if (key !== undefined) {
        this.#remembered.set(key.key, {
          cursor,
          fingerprint: key.fingerprint,
          untilMs: ms + this.#idempotencyWindowMs,
        })
      }
      return cursor
    })
    if (appended.length > 0) for (const follower of this.#followers) follower.apply(appended)
    while (this.#entries.evict(ms) !== undefined);
    return cursors
  }

  follow(follower: Follower): () => void {
    if (this.#isClosed) return () => {}
    follower.reset(this.#entries.floor, this.#birthMs)
    const held = [...this.#entries.after(0)]
    if (held.length > 0) follower.apply(held)
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#followers.clear()
  }

  #checkConflicts(items: readonly (Message | Command)[]): void {
    const fingerprints = new Map<string, string>()
    for (const [index, item] of items.entries()) {
      if (item.kind !== 'message' || item.idempotency === undefined) continue
      const { key, fingerprint } = item.idempotency
      const before = this.#remembered.get(key)?.fingerprint ?? fingerprints.get(key)
      if (before !== undefined && before !== fingerprint) {
        throw atIndex(new IdempotencyConflict(`message ${index}`), index)
      }
      fingerprints.set(key, fingerprint)
    }
  }

  #forgetKeys(nowMs: number): void {
    for (const [key, { untilMs }] of this.#remembered) {
      if (untilMs > nowMs && this.#remembered.size <= maxIdempotencyKeys) return
      this.#remembered.delete(key)
    }
  }
}
