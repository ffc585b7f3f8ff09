import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'
import type { SiteState } from '../state/site-state.js'

/** Kicked users remembered at the most. One who is pushed out makes older identities be asked anew, never believed. */
const maxUsers = 100_000

/** How long a kick makes older identities void, in ms; after it, older identities of everybody are. */
const voidMs = 24 * 3_600_000

/** Refused tokens between two looks for those whose time is over. */
const sweepEach = 1_000

interface KickedUser {
  /** Unix time in ms. */
  readonly heldUntilMs: number
  /** On the clock's monotonic scale. */
  readonly kickedMs: number
}

/** What this node refuses without asking anybody: logged-out tokens, kicked users, and identities older than a kick. */
export class Revocations {
  readonly #clock: Clock
  /** Token hash → Unix time in ms until which it is refused. */
  readonly #tokens = new Map<string, number>()
  readonly #users: LRUCache<string, KickedUser>
  /** Identities asked for before this are void, whoever they are. */
  #voidBeforeMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#users = new LRUCache<string, KickedUser>({
      max: maxUsers,
      ttl: voidMs,
      perf: { now: () => clock.monotonic() },
      ttlResolution: 0,
      dispose: (user, _uid, reason) => {
        if (reason !== 'set') this.#voidBeforeMs = Math.max(this.#voidBeforeMs, user.kickedMs)
      },
    })
  }

  /** Takes over what was stored before this process began. */
  async load(state: SiteState): Promise<void> {
    for await (const { key, expiresMs } of state.list('revoked-token')) this.#tokens.set(key, expiresMs)
    for await (const { key, expiresMs } of state.list('held-user')) this.#hold(key, expiresMs)
  }

  /** Refuses the token for `holdMs`, or as long as it is refused already, if that is longer. */
  revokeToken(hash: string, holdMs: number): void {
    const now = this.#clock.now()
    if (this.#tokens.size % sweepEach === sweepEach - 1) {
      for (const [known, untilMs] of this.#tokens) if (untilMs <= now) this.#tokens.delete(known)
    }
    this.#tokens.set(hash, Math.max(now + holdMs, this.#tokens.get(hash) ?? 0))
  }

  /**
   * Refuses the user for `holdMs`, or as long as the user is refused already, if that is longer; and for good every identity of
   * the user that was asked for before now.
   */
  holdUser(uid: string, holdMs: number): void {
    this.#hold(uid, this.#clock.now() + holdMs)
  }

  /** Makes every identity of the user that was asked for before now void, and refuses nobody. */
  voidUser(uid: string): void {
    this.#hold(uid, 0)
  }

  /** Whether the token is refused now. */
  isRevoked(hash: string): boolean {
    const untilMs = this.#tokens.get(hash)
    if (untilMs === undefined) return false
    if (untilMs > this.#clock.now()) return true
    this.#tokens.delete(hash)
    return false
  }

  /** How long, in ms, the user is still refused; 0: not at all. */
  heldForMs(uid: string): number {
    return Math.max(0, (this.#users.get(uid)?.heldUntilMs ?? 0) - this.#clock.now())
  }

  /** Whether what the CMS was asked at `askedMs` (monotonic) may no longer be believed of the user. */
  isVoid(uid: string, askedMs: number): boolean {
    // In this order: looking for a kick that is forgotten by now moves the bound for everybody.
    const kickedMs = this.#users.get(uid)?.kickedMs ?? Number.NEGATIVE_INFINITY
    return askedMs <= Math.max(this.#voidBeforeMs, kickedMs)
  }

  #hold(uid: string, heldUntilMs: number): void {
    const before = this.#users.get(uid)?.heldUntilMs ?? 0
    this.#users.set(uid, { heldUntilMs: Math.max(heldUntilMs, before), kickedMs: this.#clock.monotonic() })
  }
}
