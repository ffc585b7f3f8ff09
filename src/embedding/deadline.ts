import type { Clock } from '../clock.js'

/** Something of the embedding program took longer than it may. */
export class DeadlinePassed extends Error {}

/**
 * Runs `task` and resolves or rejects as it does.
 *
 * @throws DeadlinePassed when that takes longer than `ms`; what the task comes to then is of no interest any more.
 */
export async function within<Result>(
  clock: Clock,
  ms: number,
  task: () => Result | Promise<Result>,
): Promise<Result> {
  let cancel = () => {}
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => reject(new DeadlinePassed(`took longer than ${ms} ms`)))
  })
  try {
    // A task that throws before its first wait is one that rejects.
    return await Promise.race([(async () => await task())(), late])
  } finally {
    cancel()
  }
}

/**
 * What went wrong, for the log: what was thrown and where, without its message, which may hold what it was given: a token, say.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof DeadlinePassed) return error.message
  if (!(error instanceof Error)) return `threw a ${typeof error}`
  const where = error.stack?.split('\n').find(line => /^\s+at /.test(line))
  return `threw ${error.name}${where === undefined ? '' : ` ${where.trim()}`}`
}
