/**
 * Whether there may be something between two cursors that the first one lacks: it is earlier, or of another log, in which numbers
 * begin anew.
 */
export function isBehind(cursor: string, other: string): boolean {
  const [ms, n] = cursor.split('-').map(Number)
  const [otherMs, otherN] = other.split('-').map(Number)
  // Not a comparison turned round: a cursor may be missing, or a time, and then nothing is known.
  return !(Number(ms) >= Number(otherMs) && Number(n) >= Number(otherN))
}
