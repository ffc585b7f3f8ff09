import type { Cursor, Since } from '../../src/cursor.js'
import { createEntry } from '../../src/log/entry.js'
import type { Command, Retention } from '../../src/log/message-log.js'
import { type Page, Window } from '../../src/log/window.js'
import { FakeClock } from './clock.js'

/** A command that means nothing to a window. */
export const command: Command = { kind: 'kick', uid: '5', holdMs: 0 }

/** A window that a test fills by hand, in a log born when the clock began. */
export class TestWindow {
  readonly clock = new FakeClock()
  readonly birthMs = this.clock.now()
  readonly window: Window

  constructor(retention: Partial<Retention> = {}) {
    this.window = new Window({
      clock: this.clock,
      retention: { entries: 100_000, ageMs: 3_600_000, bytes: 1e9, ...retention },
    })
    this.window.reset({ ms: this.birthMs, n: 0 }, this.birthMs)
  }

  /** Adds a message for the keys; 10 ms pass before. */
  add(keys: string | readonly string[], options: { ttlMs?: number; data?: unknown } = {}): Cursor {
    const { data = null, ...rest } = options
    const json = JSON.stringify({ data })
    return this.#append({ kind: 'message', keys: typeof keys === 'string' ? [keys] : keys, json, ...rest })
  }

  /** Adds a command; 10 ms pass before. */
  obey(): Cursor {
    return this.#append(command)
  }

  /** Where a subscriber of the keys starts, in short: `good 3`, `ahead 9`, `gap old`. */
  start(since: Since | undefined, ...keys: readonly string[]): string {
    const start = this.window.start(since, keys)
    if (start.kind === 'good') return `good ${start.from.n}`
    return start.kind === 'ahead' ? `ahead ${start.place.n}` : `gap ${start.reason}`
  }

  /** The `n` of everything that there is for the keys after `n`, read in pages of at most `maxBytes`. */
  read(n: number, keys: readonly string[], maxBytes = 1e9): readonly number[] {
    const found: number[] = []
    let page: Page
    do {
      page = this.window.read(n, keys, maxBytes)
      for (const { cursor } of page.frames) found.push(cursor?.n ?? Number.NaN)
      n = page.to
    } while (!page.isLast)
    return found
  }

  #append(item: Parameters<typeof createEntry>[1]): Cursor {
    this.clock.advance(10)
    const { ms, n } = this.window.applied
    const cursor = { ms: Math.max(ms, this.clock.now()), n: n + 1 }
    this.window.add(createEntry(cursor, item))
    return cursor
  }
}
