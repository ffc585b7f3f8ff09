import { JwtVerifier } from '../../src/auth/jwt-verifier.js'
import { KeySet } from '../../src/auth/key-set.js'
import { FakeClock } from './clock.js'
import { fromNow, jwtSecret, type Signing, signToken } from './jwt.js'

/** A verifier of JWTs with time that stands still, and what it told the operator. */
export function beginJwt(
  options: {
    readonly secrets?: readonly string[]
    readonly jwksUrl?: string
    readonly audience?: string
    readonly timeoutMs?: number
  } = {},
) {
  const clock = new FakeClock()
  const problems: string[] = []
  const { secrets = [jwtSecret], jwksUrl, audience, timeoutMs = 10_000 } = options
  const onProblem = (problem: string) => problems.push(problem)
  const verifier = new JwtVerifier({
    clock,
    secrets,
    keySet:
      jwksUrl === undefined
        ? undefined
        : new KeySet({ clock, url: jwksUrl, timeoutMs, staleIfErrorMs: 3_600_000, onFailure: onProblem }),
    audience,
    toleranceMs: 5_000,
    maxChannelBytes: 20,
    onProblem,
  })
  /** What becomes of a token: `uid 5`, `refused`, or the error. */
  const outcome = async (token: string): Promise<string> => {
    try {
      const verified = await verifier.verify(token)
      return verified === undefined ? 'refused' : `uid ${verified.identity.uid}`
    } catch (error) {
      return error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error)
    }
  }
  /** Signs a token of user 5 for an hour, unless said otherwise. */
  const sign = (claims: Record<string, unknown> = {}, signing: Signing = {}) =>
    signToken({ sub: '5', exp: fromNow(3_600, clock.now()), ...claims }, signing)
  return { clock, verifier, problems, outcome, sign }
}
