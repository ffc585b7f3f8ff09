import type { Clock } from '../clock.js'
import type { SiteState, StateKind, StateRecord } from './site-state.js'

/** Records between two looks for expired ones. */
const sweepEach = 1_000

/** Site state in this process's memory: gone with the process. A call is done when it resolves. */
export class MemoryState implements SiteState {
  readonly #clock: Clock
  readonly #records = new Map<string, StateRecord>()
  #puts = 0
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async put(kind: StateKind, record: StateRecord): Promise<void> {
    this.#checkOpen()
    this.#puts += 1
    if (this.#puts % sweepEach === 0) this.#sweep()
    this.#records.set(recordKey(kind, record.key), record)
  }

  async get(kind: StateKind, key: string): Promise<StateRecord | undefined> {
    this.#checkOpen()
    const record = this.#records.get(recordKey(kind, key))
    return record !== undefined && record.expiresMs > this.#clock.now() ? record : undefined
  }

  async delete(kind: StateKind, key: string): Promise<void> {
    this.#checkOpen()
    this.#records.delete(recordKey(kind, key))
  }

  async *list(kind: StateKind): AsyncGenerator<StateRecord> {
    this.#checkOpen()
    const prefix = recordKey(kind, '')
    for (const [key, record] of this.#records) {
      if (key.startsWith(prefix) && record.expiresMs > this.#clock.now()) yield record
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#records.clear()
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Error('the site state is closed')
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [key, { expiresMs }] of this.#records) if (expiresMs <= now) this.#records.delete(key)
  }
}

/** Kinds hold no colon. */
function recordKey(kind: StateKind, key: string): string {
  return `${kind}:${key}`
}
