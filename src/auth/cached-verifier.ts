import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'
import { AddressLimit } from './address-limit.js'
import { CallLimit, CallLimitReached } from './call-limit.js'
import { type Caller, hashToken, type Verified } from './identity.js'
import { type TokenVerifier, VerifierUnavailable } from './token-verifier.js'

/** What bounds the verifier. */
export interface VerifierLimits {
  /** Milliseconds for which an identity is used without asking again. */
  readonly ttlMs: number
  /** Milliseconds for which a refusal is remembered. */
  readonly refusalTtlMs: number
  /** Milliseconds beyond the time that the CMS vouched for during which an identity is used when nobody can be asked. */
  readonly staleIfErrorMs: number
  /** Identities that are held for sure; the least recently used go first. */
  readonly identities: number
  /** Calls at once, calls that may wait behind them, and how long one may wait, in ms. */
  readonly atOnce: number
  readonly queueLength: number
  readonly queueMs: number
  /** Unknown tokens from one address: a second (0: no limit), and at once. */
  readonly rate: number
  readonly burst: number
}

/** What the verifier counted since it began. */
export interface VerifierCounters {
  /** Answered from memory. */
  hits: number
  /** Calls to the verifier behind. */
  calls: number
  refusals: number
  /** Calls that ended without an answer. */
  failures: number
  /** Refused a place: the queue was full, or the wait too long. */
  overflows: number
  /** Unknown tokens turned away because their address sent too many. */
  limited: number
}

/** Too many unknown tokens from one address; transient. */
export class AddressLimitReached extends Error {}

interface Question {
  readonly token: string
  readonly caller: Caller
}

/**
 * Asks any verifier once and remembers: single flight per token; an identity is fresh for `ttlMs`, then used while it is asked
 * again as long as the CMS vouches for it (`expiresIn`), and for `staleIfErrorMs` when nobody answers. Refusals are remembered
 * apart, so that random tokens do not push out good ones. Holds hashes of tokens only.
 */
export class CachedVerifier {
  readonly counters: VerifierCounters = {
    hits: 0,
    calls: 0,
    refusals: 0,
    failures: 0,
    overflows: 0,
    limited: 0,
  }
  readonly #clock: Clock
  readonly #verifier: TokenVerifier
  readonly #limits: VerifierLimits
  readonly #onFailure: (problem: string) => void
  readonly #calls: CallLimit
  readonly #addresses: AddressLimit
  readonly #identities: LRUCache<string, Verified, Question>
  readonly #refusals: LRUCache<string, true>

  constructor(options: {
    clock: Clock
    verifier: TokenVerifier
    limits: VerifierLimits
    /** Told what was wrong with each call that ended without an answer; holds no token. */
    onFailure: (problem: string) => void
  }) {
    const { clock, limits } = options
    this.#clock = clock
    this.#verifier = options.verifier
    this.#limits = limits
    this.#onFailure = options.onFailure
    this.#calls = new CallLimit({ clock, ...limits })
    this.#addresses = new AddressLimit({ clock, rate: limits.rate, burst: limits.burst })
    const time = { perf: { now: () => clock.monotonic() }, ttlResolution: 0 }
    this.#identities = new LRUCache<string, Verified, Question>({
      // A call under way takes a place in the cache. With places to spare for all of them, and for the one that finds the queue
      // full, random tokens push nobody out.
      max: limits.identities + limits.atOnce + limits.queueLength + 1,
      ttl: limits.ttlMs,
      ...time,
      noDeleteOnStaleGet: true,
      noDeleteOnFetchRejection: true,
      fetchMethod: (hash, _stale, { context, options: entry }) => this.#ask(hash, context, entry),
    })
    this.#refusals = new LRUCache<string, true>({ max: limits.identities, ttl: limits.refusalTtlMs, ...time })
  }

  /** Identities held, calls that run and calls that wait. */
  get size(): { readonly identities: number; readonly running: number; readonly waiting: number } {
    return { identities: this.#identities.size, running: this.#calls.running, waiting: this.#calls.waiting }
  }

  /**
   * Who the token belongs to, or undefined when it is refused.
   *
   * `newerThanMs` (monotonic): an answer from memory must have been asked for later than that. @throws VerifierUnavailable when nobody could say, or when the token was
   * forgotten while it was asked for. @throws AddressLimitReached
   */
  async verify(
    token: string,
    caller: Caller,
    newerThanMs = Number.NEGATIVE_INFINITY,
  ): Promise<Verified | undefined> {
    const hash = hashToken(token)
    if (this.#refusals.has(hash)) return undefined
    const known = this.#identities.peek(hash, { allowStale: true })
    const mustAsk = known !== undefined && known.askedMs <= newerThanMs
    if (known === undefined && !this.#addresses.take(caller.ip)) {
      this.counters.limited += 1
      throw new AddressLimitReached('too many unknown tokens from this address')
    }
    const ageMs = known === undefined ? 0 : this.#clock.monotonic() - known.askedMs
    const vouchedMs = known === undefined ? 0 : known.identity.expiresIn * 1_000
    const isVouchedFor = ageMs < vouchedMs && !mustAsk
    if (isVouchedFor) this.counters.hits += 1
    try {
      const verified = await this.#identities.fetch(hash, {
        context: { token, caller },
        forceRefresh: mustAsk,
        allowStale: isVouchedFor,
      })
      if (verified !== undefined) return verified
    } catch (error) {
      if (error instanceof VerifierUnavailable) {
        // Left to the cache, it would also give the old answer to those who must ask, and for a token that was deleted.
        if (known !== undefined && !mustAsk && ageMs < vouchedMs + this.#limits.staleIfErrorMs) return known
        throw error
      }
      // What else the cache throws says that the token was deleted meanwhile: by a refusal, or by `forget`.
    }
    if (this.#refusals.has(hash)) return undefined
    throw new VerifierUnavailable('the token was forgotten while it was asked for')
  }

  /** Forgets a token; one that is being asked for does not come back. */
  forget(hash: string): void {
    this.#identities.delete(hash)
  }

  /** Forgets everybody. */
  forgetAll(): void {
    this.#identities.clear()
  }

  async #ask(
    hash: string,
    { token, caller }: Question,
    entry: { ttl?: number },
  ): Promise<Verified | undefined> {
    const askedMs = this.#clock.monotonic()
    const identity = await this.#call(token, caller)
    if (identity === undefined) {
      this.counters.refusals += 1
      this.#refusals.set(hash, true)
      this.#identities.delete(hash)
      return undefined
    }
    entry.ttl = Math.max(1, Math.min(identity.expiresIn * 1_000, this.#limits.ttlMs))
    return { identity, askedMs }
  }

  async #call(token: string, caller: Caller): ReturnType<TokenVerifier['verify']> {
    try {
      return await this.#calls.run(() => {
        this.counters.calls += 1
        return this.#verifier.verify(token, caller)
      })
    } catch (error) {
      if (error instanceof CallLimitReached) {
        this.counters.overflows += 1
        throw new VerifierUnavailable('too many tokens wait to be verified')
      }
      this.counters.failures += 1
      const failure =
        error instanceof VerifierUnavailable
          ? error
          : new VerifierUnavailable('the verifier failed', { cause: error })
      this.#onFailure(failure.message)
      throw failure
    }
  }
}
