import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Clock } from '../clock.js'
import type { Identity } from './identity.js'
import { identityFromClaims, NotAnIdentity } from './identity-form.js'
import { claimedEnd, isGrantType, jwtHeader } from './jwt.js'
import type { KeySet } from './key-set.js'
import { SecretKeys } from './secret-keys.js'
import { VerifierUnavailable } from './token-verifier.js'

/**
 * What a shared secret may sign with, and what a key of the key set may. Never one list for both: a public key that is taken for
 * a secret is known to everybody. Source: RFC 8725, 3.1.
 */
const secretAlgorithms = ['HS256', 'HS384', 'HS512']
const publicAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

/** Who a JWT belongs to, and until when. */
export interface JwtVerified {
  readonly identity: Identity
  /** Unix time in ms from which the identity is good no longer; nobody can be asked to prolong it. */
  readonly expiresMs: number
  /** Unix time in ms at which the token was made, by its own word; undefined: it does not say. */
  readonly madeMs: number | undefined
}

/**
 * Verifies tokens that are JWTs, without asking the CMS.
 *
 * `sub` and `exp` are required; `channels`, `visibleTo` and `info` are as in the CMS's answer; `nbf`, `aud` and `crit` as RFC
 * 7519 and 7515 have them. The clock tolerance concerns who comes: a JWT is let in until that long after its `exp`, but one that
 * came before its `exp` ends there.
 */
export class JwtVerifier {
  readonly #clock: Clock
  readonly #secrets: SecretKeys
  readonly #keySet: KeySet | undefined
  readonly #audience: string | undefined
  readonly #toleranceMs: number
  readonly #maxChannelBytes: number
  readonly #onProblem: (problem: string) => void

  constructor(options: {
    clock: Clock
    secrets: readonly string[]
    /** Undefined: only tokens signed by a secret are good. */
    keySet: KeySet | undefined
    /** What `aud` must name; undefined: it is not looked at. */
    audience: string | undefined
    toleranceMs: number
    maxChannelBytes: number
    /** Told what was wrong with a token whose signature was good; holds no token. */
    onProblem: (problem: string) => void
  }) {
    this.#clock = options.clock
    this.#secrets = new SecretKeys(options.secrets)
    this.#keySet = options.keySet
    this.#audience = options.audience
    this.#toleranceMs = options.toleranceMs
    this.#maxChannelBytes = options.maxChannelBytes
    this.#onProblem = options.onProblem
  }

  /**
   * Who the token belongs to, or undefined when it is refused.
   *
   * @throws VerifierUnavailable when the key that it names cannot be fetched.
   */
  async verify(token: string): Promise<JwtVerified | undefined> {
    // Told before any key is fetched: a token that is over is refused also while the keys are away.
    const exp = claimedEnd(token)
    if (exp !== undefined && this.#leftMs(exp) === 0) return undefined
    try {
      const claims = await this.#claims(token)
      return claims && this.#identity(claims)
    } catch (error) {
      if (error instanceof VerifierUnavailable) throw error
      if (isAboutClaims(error)) {
        this.#onProblem(error.message)
        return undefined
      }
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid)) return undefined
      // A private key in the set, or one that is broken; what its reader throws may repeat what it read.
      const name = error instanceof Error ? error.name : typeof error
      this.#onProblem(`a key of the JWKS URL cannot be used (${name})`)
      throw new VerifierUnavailable('the key cannot be used', { cause: error })
    }
  }

  /** How long, in ms, the token might still be let in, by its own unverified word; 0: not at all. */
  leftMs(token: string): number {
    return this.#leftMs(claimedEnd(token) ?? 0)
  }

  #leftMs(exp: number): number {
    return Math.max(0, exp * 1_000 + this.#toleranceMs - this.#clock.now())
  }

  #identity(claims: JWTPayload): JwtVerified {
    const nowMs = this.#clock.now()
    const { identity, exp, iat } = identityFromClaims(claims, this.#maxChannelBytes, nowMs)
    const endMs = exp * 1_000
    return {
      identity,
      expiresMs: endMs > nowMs ? endMs : endMs + this.#toleranceMs,
      madeMs: iat === undefined ? undefined : iat * 1_000,
    }
  }

  async #claims(token: string): Promise<JWTPayload | undefined> {
    const { alg, typ } = jwtHeader(token) ?? {}
    if (typeof alg !== 'string') return undefined
    if (isGrantType(typ)) return undefined
    if (secretAlgorithms.includes(alg)) {
      return await this.#secrets.verify(token, this.#options(secretAlgorithms))
    }
    return publicAlgorithms.includes(alg) ? await this.#byKeySet(token) : undefined
  }

  async #byKeySet(token: string): Promise<JWTPayload | undefined> {
    if (this.#keySet === undefined) return undefined
    const options = this.#options(publicAlgorithms)
    try {
      return (await jwtVerify(token, this.#keySet.key, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      // Neither the token nor the keys say which of them it is.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
        }
      }
      return undefined
    }
  }

  #options(algorithms: string[]): JWTVerifyOptions {
    return {
      algorithms,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: this.#toleranceMs / 1_000,
      currentDate: new Date(this.#clock.now()),
      ...(this.#audience !== undefined && { audience: this.#audience }),
    }
  }
}

/** Whether the signature was good, so that the operator, and no stranger, has to be told. */
function isAboutClaims(error: unknown): error is Error {
  return (
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof NotAnIdentity
  )
}
