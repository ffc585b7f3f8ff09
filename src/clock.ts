/** Ends a timer; harmless when it has already run. */
export type Cancel = () => void

/** Time and timers, passed in so that tests never sleep. */
export interface Clock {
  /** Unix time in ms. May jump when the machine's clock is set. */
  now(): number
  /** Milliseconds that only ever grow, from an arbitrary start; for measuring and for deadlines. */
  monotonic(): number
  /** Runs `task` in the next turn of the event loop, after the input that is waiting now. */
  soon(task: () => void): void
  /** Runs `task` once, `ms` from now. Does not keep the process alive. */
  after(ms: number, task: () => void): Cancel
  /** Runs `task` each `ms`. Does not keep the process alive. */
  every(ms: number, task: () => void): Cancel
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  soon: task => {
    setImmediate(task)
  },
  after: (ms, task) => {
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  },
  every: (ms, task) => {
    const timer = setInterval(task, ms).unref()
    return () => clearInterval(timer)
  },
}
