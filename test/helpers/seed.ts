/**
 * The seed of a randomised test: `TEST_SEED` where it is set, else a new one. It is printed on failure by whoever uses it, so
 * that a failed run can be repeated.
 */
export const seed: number = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** How much longer than in `npm test` randomised tests look for faults: `TEST_EFFORT`, 10 in `npm run test:long`, else 1. */
export const effort: number = Number(process.env.TEST_EFFORT ?? 1)
