import { Authenticator, type Principal } from '../../src/auth/authenticator.js'
import type { VerifierLimits } from '../../src/auth/cached-verifier.js'
import { JwtVerifier } from '../../src/auth/jwt-verifier.js'
import { allRights } from '../../src/auth/key-rights.js'
import { Revocations } from '../../src/auth/revocations.js'
import { jwtSecret } from './jwt.js'
import { caller, createCached } from './verifier.js'

/** The token of everybody who enters. */
export const token = 'a-token-that-nobody-may-see'

/** An authenticator, and what a kick or a logout does to it. */
export function beginAuth(
  options: Partial<VerifierLimits> & { anonymousChannels?: string[]; jwt?: boolean } = {},
) {
  const { anonymousChannels = [], jwt: hasJwt = false, ...limits } = options
  const { clock, cms, verifier } = createCached(limits)
  const jwt = new JwtVerifier({
    clock,
    secrets: [jwtSecret],
    keySet: undefined,
    audience: undefined,
    toleranceMs: 5_000,
    maxChannelBytes: 200,
    onProblem: () => {},
  })
  const revocations = new Revocations(clock)
  const authenticator = new Authenticator({
    clock,
    verifier,
    jwt: hasJwt ? jwt : undefined,
    revocations,
    serviceRights: key => (key === 'service key' ? allRights : undefined),
    anonymousChannels,
  })
  /** `uid 5`, or the code of the error; an error that says too much is told in full. */
  const told = async (principal: Promise<Principal>): Promise<string> => {
    try {
      return `uid ${(await principal).identity.uid}`
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) return String(error)
      return error.message.includes('nobody-may-see') ? error.message : String(error.code)
    }
  }
  return {
    clock,
    cms,
    authenticator,
    enter: (by = token) => told(authenticator.authenticate(by, caller, false)),
    confirm: () => told(authenticator.confirm(token, caller, Number.POSITIVE_INFINITY)),
    kick: (holdMs: number, uid = '5') => revocations.holdUser(uid, holdMs),
    logout: (of = token) => {
      const { tokenHash, holdMs } = authenticator.revocation(of)
      revocations.revokeToken(tokenHash, holdMs)
      verifier.forget(tokenHash)
    },
    check: (principal: Principal) =>
      told(
        Promise.resolve().then(() => {
          authenticator.check(principal)
          return principal
        }),
      ),
  }
}
