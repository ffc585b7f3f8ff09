import type { Session, TokenFunction } from './options.js'

/** Fetches a token, or calls back with what stands in its place, which is checked. */
export type TokenSource = TokenFunction | ((settle: (answer: unknown) => void) => void)

/** Whether it is more than a token. */
export function isSession(answer: unknown): answer is Session {
  return typeof answer === 'object' && answer !== null && 'token' in answer
}

function isPromise(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result
}

/**
 * Asks the page for a token.
 *
 * @param settle gets a string, null for no token, or a session; anything else says why there is no answer. May be called at
 * once, and more than once by a function that both returns and calls back.
 */
export function fetchToken(source: TokenSource, settle: (answer: unknown) => void): void {
  const fail = (reason: unknown) => settle(Error(String(reason)))
  try {
    const result = source(settle)
    if (isPromise(result)) result.then(settle, fail)
    // Else nothing was returned, and the callback will be called.
    else if (result !== undefined) settle(result)
  } catch (error) {
    fail(error)
  }
}
