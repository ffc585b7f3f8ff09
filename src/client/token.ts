import type { Session, TokenFunction } from './options.js'

/** What a token's source gives: a token, null for none, or more than that. All else says why there is none. */
export type TokenAnswer = string | null | undefined | (Partial<Session> & { readonly message?: string })

/** A function of the page, or what stands in its place. */
export type TokenSource = TokenFunction | ((settle: (answer: TokenAnswer) => void) => void)

/**
 * Asks for a token, and for what comes with it.
 *
 * @param source the token itself, or what fetches it
 * @param done may be called at once, and more than once by a function that both returns and calls back; without a session where
 * there is no token, and says why
 */
export function fetchToken(
  source: TokenSource | string | undefined,
  done: (session: Partial<Session> | undefined, why: string) => void,
): void {
  const settle = (answer: TokenAnswer) => {
    const isToken = answer === null || typeof answer === 'string'
    const session = isToken ? { token: answer } : answer
    done(session && session.token !== undefined ? session : undefined, `No token: ${answer}`)
  }
  const fail = (reason: unknown) => settle(Error(String(reason)))
  try {
    const result = typeof source === 'function' ? source(settle) : source || null
    if (isPromise(result)) result.then(settle, fail)
    // Else nothing was returned, and the callback will be called.
    else if (result !== undefined) settle(result)
  } catch (error) {
    fail(error)
  }
}

function isPromise<Value>(result: Value | PromiseLike<Value>): result is PromiseLike<Value> {
  return Object(result).then
}
