const READINGS = 100

/**
 * The monotonic clock in µs minus `performance.now()` in µs: a constant of this process, read once.
 *
 * What passes between the two readings makes it too small. That is 700 µs the first time, so the largest of several is taken.
 */
const offsetMicros = Math.max(
  ...Array.from({ length: READINGS }, () => {
    const [seconds, nanos] = process.hrtime()
    return seconds * 1e6 + nanos / 1e3 - performance.now() * 1e3
  }),
)

/**
 * The time in whole µs since the machine's boot.
 *
 * It is the kernel's monotonic clock, so that two processes of one machine may compare what they read, and a corrected wall
 * clock in the middle of a run makes no latency negative. It says nothing about the time of day.
 */
export function nowMicros(): number {
  return Math.floor(performance.now() * 1e3 + offsetMicros)
}
