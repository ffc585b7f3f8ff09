import { Authenticator, type Principal } from '../../src/auth/authenticator.js'
import type { VerifierLimits } from '../../src/auth/cached-verifier.js'
import { hashToken } from '../../src/auth/identity.js'
import { allRights } from '../../src/auth/key-rights.js'
import { Revocations } from '../../src/auth/revocations.js'
import { caller, createCached } from './verifier.js'

/** The token of everybody who enters. */
export const token = 'a-token-that-nobody-may-see'

/** An authenticator, and what a kick or a logout does to it. */
export function beginAuth(options: Partial<VerifierLimits> & { anonymousChannels?: string[] } = {}) {
  const { anonymousChannels = [], ...limits } = options
  const { clock, cms, verifier } = createCached(limits)
  const revocations = new Revocations(clock)
  const authenticator = new Authenticator({
    clock,
    verifier,
    jwt: undefined,
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
    enter: () => told(authenticator.authenticate(token, caller, false)),
    confirm: () => told(authenticator.confirm(token, caller, Number.POSITIVE_INFINITY)),
    kick: (holdMs: number, uid = '5') => revocations.holdUser(uid, holdMs),
    logout: () => {
      revocations.revokeToken(hashToken(token), 60_000)
      verifier.forget(hashToken(token))
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
