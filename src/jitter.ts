/** A random whole number from the first to the last: what many clients are told must not be the same for all. */
export function randomBetween([least, most]: readonly [number, number]): number {
  return Math.round(least + Math.random() * (most - least))
}

/** A random time within 20 % of the given one, so that what began together does not end together. */
export function around(ms: number): number {
  return ms * (0.8 + 0.4 * Math.random())
}
