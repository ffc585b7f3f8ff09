import type { Clock } from '../clock.js'
import { Busy, TokenRefused, TokenRequired, TooManyRequests, UserKicked } from '../errors.js'
import { AddressLimitReached, type CachedVerifier } from './cached-verifier.js'
import { type Caller, hashToken, type Identity, type Verified } from './identity.js'
import type { Revocations } from './revocations.js'
import { VerifierUnavailable } from './token-verifier.js'

/** Who wants to subscribe. */
export interface Principal {
  readonly identity: Identity
  /** sha256 of the token; undefined for anonymous readers and for the service key. */
  readonly tokenHash: string | undefined
  /** When the CMS was asked, on the clock's monotonic scale; undefined: it was not. */
  readonly askedMs: number | undefined
  /** Milliseconds until the identity must be confirmed; undefined: never. */
  readonly recheckMs: number | undefined
}

/** The service key's holder: may read everything, is nobody. */
const service: Principal = {
  identity: {
    uid: null,
    channels: ['*'],
    visibleTo: [],
    info: undefined,
    expiresIn: Number.POSITIVE_INFINITY,
  },
  tokenHash: undefined,
  askedMs: undefined,
  recheckMs: undefined,
}

/** Tells who a token belongs to, by the service keys, the verifier, and what was revoked. */
export class Authenticator {
  readonly #clock: Clock
  readonly #verifier: CachedVerifier | undefined
  readonly #revocations: Revocations
  readonly #isServiceKey: (key: string) => boolean
  readonly #anonymous: Principal | undefined

  constructor(options: {
    clock: Clock
    /** Undefined: no token is good. */
    verifier: CachedVerifier | undefined
    revocations: Revocations
    isServiceKey: (key: string) => boolean
    /** What may be read without a token; empty: nothing. */
    anonymousChannels: readonly string[]
  }) {
    this.#clock = options.clock
    this.#verifier = options.verifier
    this.#revocations = options.revocations
    this.#isServiceKey = options.isServiceKey
    const channels = options.anonymousChannels
    const identity = {
      uid: null,
      channels,
      visibleTo: [],
      info: undefined,
      expiresIn: Number.POSITIVE_INFINITY,
    }
    this.#anonymous = channels.length === 0 ? undefined : { ...service, identity }
  }

  /**
   * Tells who comes. Without a token: the anonymous reader, where there is one. `isBearer`: it came in the Authorization header;
   * only there may it be a service key, which must not be in addresses, where proxies write it down.
   *
   * @throws TokenRequired, TokenRefused, UserKicked for good; Busy, TooManyRequests for now.
   */
  async authenticate(token: string | undefined, caller: Caller, isBearer: boolean): Promise<Principal> {
    if (token === undefined) {
      if (this.#anonymous === undefined) throw new TokenRequired()
      return this.#anonymous
    }
    if (isBearer && this.#isServiceKey(token)) return service
    return await this.#verify(token, caller, Number.NEGATIVE_INFINITY)
  }

  /**
   * Finds out anew who the token belongs to: by what was asked later than `askedMs` (monotonic; for another connection with the same
   * token, say), else by asking. @throws as `authenticate` does.
   */
  async confirm(token: string, caller: Caller, askedMs: number): Promise<Principal> {
    return await this.#verify(token, caller, askedMs)
  }

  /**
   * Revocations are looked at after every wait, because a logout or a kick that came while the CMS was asked is not known to its
   * answer.
   */
  async #verify(token: string, caller: Caller, newerThanMs: number): Promise<Principal> {
    const tokenHash = hashToken(token)
    if (this.#verifier === undefined || this.#revocations.isRevoked(tokenHash)) throw new TokenRefused()
    let verified = await this.#ask(this.#verifier, token, caller, newerThanMs)
    this.#checkHold(tokenHash, verified.identity.uid)
    if (this.#isVoid(verified.identity, verified.askedMs))
      verified = await this.#ask(this.#verifier, token, caller, verified.askedMs)
    const { identity, askedMs } = verified
    const principal = {
      identity,
      tokenHash,
      askedMs,
      recheckMs: this.#recheckMs(identity.expiresIn * 1_000, askedMs),
    }
    this.check(principal)
    return principal
  }

  /**
   * Looks once more whether the principal was logged out or kicked. To be called in the same turn in which it is let in: a
   * command that comes between a check and the letting in would find nobody to close.
   *
   * @throws TokenRefused, UserKicked for good; Busy when its identity is from before a kick.
   */
  check({ identity, tokenHash, askedMs }: Principal): void {
    if (tokenHash === undefined || askedMs === undefined) return
    this.#checkHold(tokenHash, identity.uid)
    if (this.#isVoid(identity, askedMs))
      throw new Busy('what is known of the user became void while the token was verified')
  }

  /** Whether what is known of the principal may no longer be believed: the CMS must be asked anew. */
  isVoid({ identity, askedMs }: Principal): boolean {
    return askedMs !== undefined && this.#isVoid(identity, askedMs)
  }

  async #ask(
    verifier: CachedVerifier,
    token: string,
    caller: Caller,
    newerThanMs: number,
  ): Promise<Verified> {
    try {
      const verified = await verifier.verify(token, caller, newerThanMs)
      if (verified === undefined) throw new TokenRefused()
      return verified
    } catch (error) {
      if (error instanceof AddressLimitReached) throw new TooManyRequests(error.message)
      if (error instanceof VerifierUnavailable) {
        if (this.#revocations.isRevoked(hashToken(token))) throw new TokenRefused()
        throw new Busy('the token cannot be verified now')
      }
      throw error
    }
  }

  #checkHold(tokenHash: string, uid: string | null): void {
    if (this.#revocations.isRevoked(tokenHash)) throw new TokenRefused()
    const heldForMs = uid === null ? 0 : this.#revocations.heldForMs(uid)
    if (heldForMs > 0) throw new UserKicked(Math.ceil(heldForMs / 1_000))
  }

  #isVoid(identity: Identity, askedMs: number): boolean {
    return identity.uid !== null && this.#revocations.isVoid(identity.uid, askedMs)
  }

  /** At a random 80 to 100 % of the time that the CMS vouches for, so that those who came together are not asked together. */
  #recheckMs(vouchedMs: number, askedMs: number): number {
    const ageMs = this.#clock.monotonic() - askedMs
    return Math.max(1_000, vouchedMs * (0.8 + 0.2 * Math.random()) - ageMs)
  }
}
