import type { TokenFunction } from './options.js'

/**
 * Asks the page for a token.
 *
 * @param settle gets a string, or null for no token; anything else says why there is no answer. May be called at once, and
 * more than once by a function that both returns and calls back.
 */
export function fetchToken(source: TokenFunction, settle: (answer: unknown) => void): void {
  const fail = (reason: unknown) => settle(Error(String(reason)))
  try {
    const result = source(settle)
    if (result && typeof result === 'object') result.then(settle, fail)
    // Else nothing was returned, and the callback will be called.
    else if (result !== undefined) settle(result)
  } catch (error) {
    fail(error)
  }
}
