import type { Clock } from '../clock.js'
import { Busy, TokenRefused, TokenRequired, TooManyRequests, UserKicked } from '../errors.js'
import { AddressLimitReached, type CachedVerifier } from './cached-verifier.js'
import { type Caller, hashToken, type Identity, type Verified } from './identity.js'
import { hashJwt, looksLikeJwt } from './jwt.js'
import type { JwtVerifier } from './jwt-verifier.js'
import type { KeyRights } from './key-rights.js'
import type { Revocations } from './revocations.js'
import { VerifierUnavailable } from './token-verifier.js'

/** How long a logged-out token is refused without asking, in ms: Drupal says logout *before* it destroys the session. */
const logoutHoldMs = 60_000

/** The longest that a logged-out JWT is refused, in ms, a year: a mistaken `exp` must not be remembered for ever. */
const longestHoldMs = 366 * 24 * 3_600_000

/** Who wants to subscribe. */
export interface Principal {
  readonly identity: Identity
  /** Hash by which the token is known; undefined for anonymous readers and for the service key. */
  readonly tokenHash: string | undefined
  /** When the CMS was asked, on the clock's monotonic scale; undefined: it was not. */
  readonly askedMs: number | undefined
  /** Milliseconds until the identity must be confirmed; undefined: never. */
  readonly recheckMs: number | undefined
  /**
   * When the identity was true, on the clock's monotonic scale: when the CMS was asked, or when it made the JWT (-Infinity if that
   * does not say). Infinity for what does not come from the CMS.
   */
  readonly saidMs: number
  /** Unix time in ms from which it is good no longer, and cannot be confirmed; undefined: it has no such end. */
  readonly expiresMs: number | undefined
}

/** What a logout refuses. */
export interface Revocation {
  readonly tokenHash: string
  readonly holdMs: number
}

/** The holder of an unrestricted service key: may read everything, is nobody. */
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
  saidMs: Number.POSITIVE_INFINITY,
  expiresMs: undefined,
}

/** The holder of a service key, who may read the channels that the key is for. @throws KeyRestricted when it may not read. */
function servicePrincipal(rights: KeyRights): Principal {
  rights.check('read')
  const { channels } = rights
  return channels === undefined ? service : { ...service, identity: { ...service.identity, channels } }
}

/** Tells who a token belongs to, by the service keys, the verifier, and what was revoked. */
export class Authenticator {
  readonly #clock: Clock
  readonly #verifier: CachedVerifier | undefined
  readonly #jwt: JwtVerifier | undefined
  readonly #revocations: Revocations
  readonly #serviceRights: (key: string) => KeyRights | undefined
  readonly #anonymous: Principal

  constructor(options: {
    clock: Clock
    /** Undefined: no token is good, unless it is a JWT. */
    verifier: CachedVerifier | undefined
    /** Undefined: a JWT is a token like any other. */
    jwt: JwtVerifier | undefined
    revocations: Revocations
    /** What a service key may do; undefined: it is none. */
    serviceRights: (key: string) => KeyRights | undefined
    /** What may be read without a token; empty: nothing. */
    anonymousChannels: readonly string[]
  }) {
    this.#clock = options.clock
    this.#verifier = options.verifier
    this.#jwt = options.jwt
    this.#revocations = options.revocations
    this.#serviceRights = options.serviceRights
    const channels = options.anonymousChannels
    const identity = {
      uid: null,
      channels,
      visibleTo: [],
      info: undefined,
      expiresIn: Number.POSITIVE_INFINITY,
    }
    this.#anonymous = { ...service, identity }
  }

  /**
   * Tells who comes. Without a token: the anonymous reader, if anything is open to it, or if it holds a genuine grant.
   * `isBearer`: it came in the Authorization header; only there may it be a service key, which must not be in addresses, where
   * proxies write it down.
   *
   * @throws TokenRequired, TokenRefused, UserKicked, KeyRestricted for good; Busy, TooManyRequests for now.
   */
  async authenticate(
    token: string | undefined,
    caller: Caller,
    isBearer: boolean,
    holdsGrant = false,
  ): Promise<Principal> {
    if (token === undefined) {
      if (this.#anonymous.identity.channels.length === 0 && !holdsGrant) throw new TokenRequired()
      return this.#anonymous
    }
    const rights = isBearer ? this.#serviceRights(token) : undefined
    if (rights !== undefined) return servicePrincipal(rights)
    return await this.#verify(token, caller, Number.NEGATIVE_INFINITY)
  }

  /**
   * Finds out anew who the token belongs to: by what was asked later than `askedMs` (monotonic; for another connection with the same
   * token, say), else by asking. @throws as `authenticate` does.
   */
  async confirm(token: string, caller: Caller, askedMs: number): Promise<Principal> {
    return await this.#verify(token, caller, askedMs)
  }

  /** How a token is to be logged out: a JWT is refused until it would end by itself, since nobody is asked about it. */
  revocation(token: string): Revocation {
    const jwt = this.#jwtVerifier(token)
    if (jwt === undefined) return { tokenHash: hashToken(token), holdMs: logoutHoldMs }
    const holdMs = Math.min(Math.max(jwt.leftMs(token), logoutHoldMs), longestHoldMs)
    return { tokenHash: hashJwt(token), holdMs }
  }

  #jwtVerifier(token: string): JwtVerifier | undefined {
    return this.#jwt !== undefined && looksLikeJwt(token) ? this.#jwt : undefined
  }

  /**
   * Revocations are looked at after every wait, because a logout or a kick that came while the CMS was asked is not known to its
   * answer.
   */
  async #verify(token: string, caller: Caller, newerThanMs: number): Promise<Principal> {
    const jwt = this.#jwtVerifier(token)
    if (jwt !== undefined) return await this.#verifyJwt(jwt, token)
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
      saidMs: askedMs,
      recheckMs: this.#recheckMs(identity.expiresIn * 1_000, askedMs),
      expiresMs: undefined,
    }
    this.check(principal)
    return principal
  }

  async #verifyJwt(jwt: JwtVerifier, token: string): Promise<Principal> {
    const tokenHash = hashJwt(token)
    if (this.#revocations.isRevoked(tokenHash)) throw new TokenRefused()
    const verified = await jwt.verify(token).catch((error: unknown) => {
      throw error instanceof VerifierUnavailable ? new Busy('the token cannot be verified now') : error
    })
    if (verified === undefined) throw new TokenRefused()
    const { identity, expiresMs, madeMs = Number.NEGATIVE_INFINITY } = verified
    const saidMs = this.#clock.monotonic() - (this.#clock.now() - madeMs)
    const principal = { identity, tokenHash, askedMs: undefined, recheckMs: undefined, saidMs, expiresMs }
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
    if (tokenHash === undefined) return
    this.#checkHold(tokenHash, identity.uid)
    // What a JWT says was never asked for: it is as good after a kick as before.
    if (askedMs !== undefined && this.#isVoid(identity, askedMs))
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
