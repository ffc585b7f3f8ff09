/**
 * The seed of a randomised test: `TEST_SEED` where it is set, else a new one. It is printed on failure by whoever uses it, so
 * that a failed run can be repeated.
 */
export const seed: number = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
