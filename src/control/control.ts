import type { Authenticator } from '../auth/authenticator.js'
import type { CachedVerifier } from '../auth/cached-verifier.js'
import { allRights, type KeyRights } from '../auth/key-rights.js'
import type { Memberships } from '../auth/memberships.js'
import type { Clock } from '../clock.js'
import type { EventReporter } from '../cms/event-reporter.js'
import { type Cursor, formatCursor } from '../cursor.js'
import { atIndex, IdempotencyConflict, InvalidRequest, KeyRestricted, TooManyMemberships } from '../errors.js'
import type { Hub } from '../hub/hub.js'
import type { MessageLog } from '../log/message-log.js'
import type { Window } from '../log/window.js'
import { channelNameProblem, channelOf, type Message, type MessageLimits, parseMessages } from '../message.js'
import type { ProcessFigures } from '../metrics/process-figures.js'
import { Rates } from '../metrics/rates.js'
import type { SiteState } from '../state/site-state.js'
import { Listings } from './listings.js'
import type { Stats } from './stats.js'

export type { Stats } from './stats.js'

/** What control stands on. */
export interface ControlParts {
  readonly clock: Clock
  readonly log: MessageLog
  readonly state: SiteState
  readonly memberships: Memberships
  readonly window: Window
  readonly hub: Hub
  readonly verifier: CachedVerifier | undefined
  /** Tells the CMS who comes and goes; undefined: it is not told. */
  readonly events: EventReporter | undefined
  readonly authenticator: Authenticator
  readonly limits: MessageLimits
  /** Figures of the whole process. */
  readonly processFigures: () => ProcessFigures
  /** Gives the body of a publish call, or another one in its place; rejects where nothing may be published. */
  readonly review?: Review | undefined
}

/** A look at what is to be published. */
export type Review = (body: unknown) => Promise<unknown>

/** What the CMS may do, without any HTTP. */
export class Control {
  readonly #parts: ControlParts
  readonly #startMs: number
  /** Who is connected, and on what. */
  readonly listings: Listings
  readonly #rates: Rates<'messages' | 'deliveries' | 'connects'>

  constructor(parts: ControlParts) {
    const { clock, hub } = parts
    this.#parts = parts
    this.listings = new Listings(hub.roster, parts.memberships)
    this.#startMs = clock.monotonic()
    this.#rates = new Rates(() => {
      const { messages, deliveries, connects } = hub.counters
      return { messages, deliveries, connects }
    })
  }

  /**
   * Publishes one message or an array of them: all or none. Resolves to their ids once stored as configured.
   *
   * `rights`: a key for certain channels publishes to these only, never to users or to everybody.
   * @throws InvalidRequest, TooLarge, IdempotencyConflict, KeyRestricted; what the review throws
   */
  async publish(body: unknown, rights: KeyRights = allRights): Promise<readonly string[]> {
    const accepted = await this.#accept(body, rights)
    const messages = accepted.map(message => withScope(message, rights))
    const cursors = await this.#parts.log.append(messages).catch((error: unknown) => {
      throw inBody(error, Array.isArray(body))
    })
    return cursors.map(formatCursor)
  }

  /**
   * What is reviewed is of the documented form and allowed to the key, and what the review makes of it must be of that form. Where
   * that goes is for the review to say.
   */
  async #accept(body: unknown, rights: KeyRights): Promise<readonly Message[]> {
    const { limits, review } = this.#parts
    const messages = parseMessages(body, limits)
    if (rights.channels !== undefined) checkTargets(messages, rights, Array.isArray(body))
    if (review === undefined) return messages
    return parseMessages(await review(body), limits)
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

  /** Closes the token's connections on every node, forgets it and refuses it for a minute, a JWT until it ends. */
  async logout(token: string): Promise<void> {
    const { clock, state, log, authenticator } = this.#parts
    const { tokenHash, holdMs } = authenticator.revocation(token)
    await state.put('revoked-token', { key: tokenHash, value: null, expiresMs: clock.now() + holdMs })
    await log.append([{ kind: 'logout', tokenHash, holdMs }])
  }

  /** Asks the CMS anew who the user is, on every node, and applies the difference to the user's connections. */
  async refresh(uid: string): Promise<void> {
    await this.#parts.log.append([{ kind: 'refresh', uid }])
  }

  /**
   * Adds the channel for the user's present and future connections, or takes it away: added ones until they are taken away or a day
   * has passed since the last connection; those that the identity lists until it is asked for anew.
   *
   * `rights`: a key for certain channels changes memberships of these only.
   * @throws InvalidRequest, TooManyMemberships, KeyRestricted
   */
  async setMembership(
    uid: string,
    channel: string,
    change: 'add' | 'remove',
    rights: KeyRights = allRights,
  ): Promise<void> {
    const { limits, memberships, log } = this.#parts
    const problem = channelNameProblem(channel, limits.maxChannelBytes)
    if (problem !== undefined) throw new InvalidRequest(`channel: ${problem}`)
    rights.checkChannel('memberships', channel)
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
    const { clock, hub, window, verifier, events, processFigures } = this.#parts
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
      events: events === undefined ? null : { ...events.size, ...events.counters },
      ...processFigures(),
    }
  }
}

/**
 * The message, whose idempotency key is one of those that are for the same channels: who may publish to some must not keep others from
 * publishing by keys that are theirs, too.
 */
function withScope(message: Message, { channels }: KeyRights): Message {
  const { idempotency } = message
  if (idempotency === undefined || channels === undefined) return message
  return { ...message, idempotency: { ...idempotency, key: JSON.stringify([channels, idempotency.key]) } }
}

/** @throws KeyRestricted unless all are for channels that the key is for; of an array, it says which is not. */
function checkTargets(messages: readonly Message[], rights: KeyRights, isArray: boolean): void {
  for (const [index, { keys }] of messages.entries()) {
    try {
      for (const key of keys) checkTarget(key, rights)
    } catch (error) {
      throw isArray && error instanceof KeyRestricted ? atIndex(error, index) : error
    }
  }
}

function checkTarget(key: string, rights: KeyRights): void {
  const channel = channelOf(key)
  if (channel === undefined) throw new KeyRestricted('publish to users or to everybody, only to channels')
  rights.checkChannel('publish', channel)
}

/** A conflict names the place in the body, as the other errors do; of a single message there is no other. */
function inBody(error: unknown, isArray: boolean): unknown {
  if (!(error instanceof IdempotencyConflict) || !('index' in error)) return error
  if (!isArray) return new IdempotencyConflict('body')
  const index = Number(error.index)
  return atIndex(new IdempotencyConflict(`body[${index}]`), index)
}
