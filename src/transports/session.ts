import { hash } from 'node:crypto'
import type { Authenticator, Principal } from '../auth/authenticator.js'
import { type Caller, type Entitlement, entitle } from '../auth/identity.js'
import type { Memberships } from '../auth/memberships.js'
import { isTransient } from '../errors.js'
import type { Hub } from '../hub/hub.js'
import type { Owner, Subscriber } from '../hub/subscriber.js'
import { routingKey } from '../message.js'

/** How long, in ms, until it is tried again to confirm an identity when nobody could say. */
const confirmAgainMs = 30_000

/** What sessions share. */
export interface SessionServices {
  readonly authenticator: Authenticator
  readonly hub: Hub
  readonly memberships: Memberships
  /** Names and patterns that everybody may ask for. */
  readonly anonymousChannels: readonly string[]
  readonly heartbeatMs: number
  /** Milliseconds for which an identity is believed when it cannot be confirmed. */
  readonly staleIfErrorMs: number
}

/** What a request asks for and who makes it; not a connection, which may come and go. */
export interface Ask {
  readonly token: string | undefined
  readonly caller: Caller
  /** The channels it names; none: all that the identity lists. */
  readonly channels: readonly string[]
  /** How many grants came with it. */
  readonly grants: number
}

/** Why a grant was not accepted. */
interface RefusedGrant {
  /** Its place among the grants of the request, from 0. */
  readonly grant: number
  readonly reason: string
}

/** One subscription: who, and to what. It answers for the identity as long as a stream is open. */
export class Session implements Owner {
  readonly #services: SessionServices
  readonly #ask: Ask
  #principal: Principal
  #channels: readonly string[] = []
  /** Milliseconds, in 30-second steps, for which the identity could not be confirmed. */
  #unconfirmedMs = 0

  constructor(services: SessionServices, ask: Ask, principal: Principal) {
    this.#services = services
    this.#ask = ask
    this.#principal = principal
  }

  /** Settles which channels it listens on, by what is known now. */
  settle(): Entitlement {
    const { memberships, anonymousChannels } = this.#services
    const { identity, askedMs = Number.POSITIVE_INFINITY } = this.#principal
    const { added, isHidden } = memberships.of(identity.uid)
    const entitlement = entitle(identity, {
      asked: this.#ask.channels,
      open: anonymousChannels,
      added,
      isHidden: channel => isHidden(channel, askedMs),
    })
    this.#channels = entitlement.channels
    return entitlement
  }

  get principal(): Principal {
    return this.#principal
  }

  /** What the subscriber listens on: its channels, its user, and what goes to everybody. */
  get keys(): readonly string[] {
    const { uid } = this.#principal.identity
    const keys = [routingKey.broadcast, ...this.#channels.map(routingKey.channel)]
    if (uid !== null) keys.push(routingKey.uid(uid))
    return keys
  }

  /** The data of `ready`, and its version: a client that has this version need not be told. */
  ready(): { readonly json: string; readonly version: string } {
    const { uid, info } = this.#principal.identity
    const heartbeat = this.#services.heartbeatMs / 1_000
    const refused: RefusedGrant[] = Array.from({ length: this.#ask.grants }, (_, grant) => ({
      grant,
      reason: 'this server accepts no grants',
    }))
    const presence: readonly string[] = []
    const channels = this.#channels
    const version = hash(
      'sha256',
      JSON.stringify([uid, channels, heartbeat, presence, refused, info]),
      'base64url',
    ).slice(0, 8)
    const json = JSON.stringify({ uid, channels, heartbeat, v: version, presence, refused, info })
    return { json, version }
  }

  /** Asks the CMS again. Yes: the difference is applied to the live connection. No: it is closed as `expired`. */
  recheck(subscriber: Subscriber): void {
    const { token, caller } = this.#ask
    const { askedMs } = this.#principal
    if (token === undefined || askedMs === undefined) return
    this.#services.authenticator.confirm(token, caller, askedMs).then(
      principal => this.#confirmed(subscriber, principal),
      (error: unknown) => this.#notConfirmed(subscriber, error),
    )
  }

  reconsider(subscriber: Subscriber): void {
    // More was taken away than is remembered: only the CMS can say what is left.
    if (this.#services.authenticator.isVoid(this.#principal)) {
      this.recheck(subscriber)
      return
    }
    const before = this.ready().version
    this.settle()
    const ready = this.ready()
    if (ready.version !== before) this.#services.hub.update(subscriber, this.keys, ready.json)
  }

  #confirmed(subscriber: Subscriber, principal: Principal): void {
    const { hub } = this.#services
    const before = this.ready().version
    const isSameUser = principal.identity.uid === this.#principal.identity.uid
    this.#unconfirmedMs = 0
    this.#principal = principal
    if (!isSameUser) {
      // Never continues as somebody else: the page must begin anew.
      hub.close(subscriber, 'expired')
      return
    }
    this.settle()
    const ready = this.ready()
    if (ready.version !== before) hub.update(subscriber, this.keys, ready.json)
    if (principal.recheckMs !== undefined) hub.recheckIn(subscriber, principal.recheckMs)
  }

  #notConfirmed(subscriber: Subscriber, error: unknown): void {
    const { hub, staleIfErrorMs } = this.#services
    if (!isTransient(error) || this.#unconfirmedMs >= staleIfErrorMs) {
      hub.close(subscriber, 'expired')
      return
    }
    this.#unconfirmedMs += confirmAgainMs
    hub.recheckIn(subscriber, confirmAgainMs * (0.8 + 0.4 * Math.random()))
  }
}
