import type { TokenFunction } from './options.js'

/** What stands in place of a page's function that fetches a token. */
export type TokenSource = (settle: (answer: unknown) => void) => unknown

/**
 * Asks for a token.
 *
 * @param source the token itself, or what fetches it
 * @param settle gets a token, null for none, or a session; all else says why there is none. May be called at once, and more than
 * once by a function that both returns and calls back
 */
export function fetchToken(
  source: TokenSource | TokenFunction | string | undefined,
  settle: (answer: unknown) => void,
): void {
  // In a list, so that it is no token, whatever it is.
  const fail = (reason: unknown) => settle([reason])
  try {
    const result: unknown = typeof source === 'function' ? source(settle) : source || null
    const thenable: Partial<PromiseLike<unknown>> = Object(result)
    if (thenable.then) thenable.then(settle, fail)
    // Else nothing was returned, and the callback will be called.
    else if (result !== undefined) settle(result)
  } catch (error) {
    fail(error)
  }
}
