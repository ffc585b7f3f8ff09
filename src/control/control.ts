import type { CachedVerifier } from '../auth/cached-verifier.js'
import { hashToken } from '../auth/identity.js'
import type { Memberships } from '../auth/memberships.js'
import type { Clock } from '../clock.js'
import { type Cursor, formatCursor } from '../cursor.js'
import { InvalidRequest, TooManyMemberships } from '../errors.js'
import type { Hub } from '../hub/hub.js'
import type { MessageLog } from '../log/message-log.js'
import type { Window } from '../log/window.js'
import { channelNameProblem, type MessageLimits, parseMessages } from '../message.js'
import type { ProcessFigures } from '../metrics/process-figures.js'
import { Rates } from '../metrics/rates.js'
import type { SiteState } from '../state/site-state.js'

/** How long a logged-out token is refused without asking, in ms: Drupal says logout *before* it destroys the session. */
const logoutHoldMs = 60_000

/** What control stands on. */
export interface ControlParts {
  readonly clock: Clock
  readonly log: MessageLog
  readonly state: SiteState
  readonly memberships: Memberships
  readonly window: Window
  readonly hub: Hub
  readonly verifier: CachedVerifier | undefined
  readonly limits: MessageLimits
  /** Figures of the whole process. */
  readonly processFigures: () => ProcessFigures
}

/** What the CMS may do, without any HTTP. */
export class Control {
  readonly #parts: ControlParts
  readonly #startMs: number
  readonly #rates: Rates<'messages' | 'deliveries' | 'connects'>

  constructor(parts: ControlParts) {
    const { clock, hub } = parts
    this.#parts = parts
    this.#startMs = clock.monotonic()
    this.#rates = new Rates(() => {
      const { messages, deliveries, connects } = hub.counters
      return { messages, deliveries, connects }
    })
  }

  /**
   * Publishes one message or an array of them: all or none. Resolves to their ids once stored as configured.
   *
   * @throws InvalidRequest, TooLarge, IdempotencyConflict
   */
  async publish(body: unknown): Promise<readonly string[]> {
    const cursors = await this.#parts.log.append(parseMessages(body, this.#parts.limits))
    return cursors.map(formatCursor)
  }

  /** *Applied*, for printing into a page before its content is read. */
  cursor(): Cursor {
    return this.#parts.window.applied
  }

  /** Closes the user's connections on every node, forgets the identities and refuses the user for `holdMs`. */
  async kick(uid: string, holdMs: number): Promise<void> {
    const { clock, state, log } = this.#parts
    await state.put('held-user', { key: uid, value: null, expiresMs: clock.now() + holdMs })
    await log.append([{ kind: 'kick', uid, holdMs }])
  }

  /** Closes the token's connections on every node, forgets it and refuses it for a minute. */
  async logout(token: string): Promise<void> {
    const { clock, state, log } = this.#parts
    const tokenHash = hashToken(token)
    await state.put('revoked-token', { key: tokenHash, value: null, expiresMs: clock.now() + logoutHoldMs })
    await log.append([{ kind: 'logout', tokenHash, holdMs: logoutHoldMs }])
  }

  /** Asks the CMS anew who the user is, on every node, and applies the difference to the user's connections. */
  async refresh(uid: string): Promise<void> {
    await this.#parts.log.append([{ kind: 'refresh', uid }])
  }

  /**
   * Adds the channel for the user's present and future connections, or takes it away: added ones until they are taken away or a day
   * has passed since the last connection; those that the identity lists until it is asked for anew.
   *
   * @throws InvalidRequest, TooManyMemberships
   */
  async setMembership(uid: string, channel: string, change: 'add' | 'remove'): Promise<void> {
    const { limits, memberships, log } = this.#parts
    const problem = channelNameProblem(channel, limits.maxChannelBytes)
    if (problem !== undefined) throw new InvalidRequest(`channel: ${problem}`)
    if (change === 'add' && !memberships.hasPlace(uid, channel)) throw new TooManyMemberships()
    await memberships.store(uid, channel, change)
    await log.append([{ kind: 'membership', uid, channel, change }])
  }

  /** Measures the rates; to be called once a second. */
  sample(): void {
    this.#rates.sample()
  }

  /** Figures of this node. */
  stats(): Stats {
    const { clock, hub, window, verifier, processFigures } = this.#parts
    const { messages, deliveries, connects, overflows, gaps, closed } = hub.counters
    return {
      uptimeMs: Math.round(clock.monotonic() - this.#startMs),
      connections: { ...hub.connections },
      listenedKeys: hub.listenedKeys,
      messages,
      deliveries,
      connects,
      perSecond: this.#rates.perSecond,
      outboxes: { queued: hub.queued, overflows },
      gaps,
      closed: { ...closed },
      log: { applied: formatCursor(window.applied), ...window.size },
      verifier: verifier === undefined ? null : { ...verifier.size, ...verifier.counters },
      ...processFigures(),
    }
  }
}

/** What `GET /stats` tells of a site on this node. Counters count from the start of the process. */
export interface Stats extends ProcessFigures {
  readonly uptimeMs: number
  /** Open streams and waiting polls. */
  readonly connections: { readonly sse: number; readonly poll: number }
  /** Channels and users that somebody listens on. */
  readonly listenedKeys: number
  readonly messages: number
  /** Frames put into outboxes. */
  readonly deliveries: number
  /** Streams and polls that began. */
  readonly connects: number
  /** Growth in the last second. */
  readonly perSecond: Readonly<Partial<Record<'messages' | 'deliveries' | 'connects', number>>>
  /** Outboxes that wait to be written now, and how often one overflowed. */
  readonly outboxes: { readonly queued: number; readonly overflows: number }
  readonly gaps: number
  readonly closed: Readonly<Record<string, number>>
  readonly log: { readonly applied: string; readonly entries: number; readonly bytes: number }
  readonly verifier: Readonly<Record<string, number>> | null
}
