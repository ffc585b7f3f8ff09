import { createSecretKey, type KeyObject } from 'node:crypto'
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'

/** Shared secrets of which each is good, so that they can be changed without a pause. */
export class SecretKeys {
  readonly #keys: readonly KeyObject[]

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(secret => createSecretKey(secret, 'utf8'))
  }

  /** How many there are. */
  get size(): number {
    return this.#keys.length
  }

  /**
   * The claims of a JWT that one of the secrets signed; undefined: none of them did. `options.algorithms` MUST name HMACs only.
   *
   * @throws JOSEError what else is wrong with it; a `JWTExpired` or `JWTClaimValidationFailed` says that the signature was good.
   */
  async verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload | undefined> {
    for (const key of this.#keys) {
      try {
        return (await jwtVerify(token, key, options)).payload
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
      }
    }
    return undefined
  }
}
