import type { Session, TokenFunction } from './options.js'

/** What a token's source gives: a token, null for none, or more than that. All else says why there is none. */
export type TokenAnswer = string | null | undefined | (Partial<Session> & { readonly message?: string })

/** A function of the page, or what stands in its place. */
export type TokenSource = TokenFunction | ((settle: (answer: TokenAnswer) => void) => void)

/**
 * Asks for a token.
 *
 * @param settle may be called at once, and more than once by a function that both returns and calls back
 */
export function fetchToken(source: TokenSource, settle: (answer: TokenAnswer) => void): void {
  const fail = (reason: unknown) => settle(Error(String(reason)))
  try {
    const result = source(settle)
    if (result && typeof result === 'object' && 'then' in result) result.then(settle, fail)
    // Else nothing was returned, and the callback will be called.
    else if (result !== undefined) settle(result)
  } catch (error) {
    fail(error)
  }
}
