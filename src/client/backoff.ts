// From a glitch that nobody notices to a server that is down for hours.
const FIRST_MS = 1000
// 32 s are enough.
const MOST_DOUBLINGS = 5

/**
 * How long to wait, in ms, before the next attempt: a random time up to a limit that doubles with each failure, to 32 s.
 *
 * The random part is all of it ("full jitter"), because what cuts one page off usually cuts off thousands, and they shall
 * not come back together.
 *
 * @param failures how many attempts in a row have failed before this one
 */
export function backoffMs(failures: number): number {
  return Math.random() * (FIRST_MS << Math.min(failures, MOST_DOUBLINGS))
}
