import type { Clock } from '../../src/clock.js'

interface Timer {
  atMs: number
  readonly task: () => void
  readonly everyMs: number | undefined
}

/** A clock that stands still until it is told to go on. `soon` runs in the real next turn unless `turn` runs it first. */
export class FakeClock implements Clock {
  #nowMs: number
  #timers: Timer[] = []
  #soon: (() => void)[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  soon(task: () => void): void {
    this.#soon.push(task)
  }

  after(ms: number, task: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + ms, task, everyMs: undefined })
  }

  every(ms: number, task: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + ms, task, everyMs: ms })
  }

  /** Runs what was put off to the next turn, until nothing is left. */
  turn(): void {
    while (this.#soon.length > 0) {
      const tasks = this.#soon
      this.#soon = []
      for (const task of tasks) task()
    }
  }

  /** Lets time pass; timers run in their order, turns between them. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    this.turn()
    for (;;) {
      const due = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((one, other) => one.atMs - other.atMs)[0]
      if (due === undefined) break
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      if (due.everyMs === undefined) this.#timers = this.#timers.filter(timer => timer !== due)
      else due.atMs += due.everyMs
      due.task()
      this.turn()
    }
    this.#nowMs = endMs
  }

  #add(timer: Timer): () => void {
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }
}
