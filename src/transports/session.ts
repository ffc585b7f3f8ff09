import { hash } from 'node:crypto'
import type { Authenticator, Principal } from '../auth/authenticator.js'
import type { Grant } from '../auth/grant.js'
import { type Caller, type Entitlement, type Entitling, entitle } from '../auth/identity.js'
import type { Memberships } from '../auth/memberships.js'
import { type RefusedGrant, weighGrants } from '../auth/weighed-grants.js'
import type { Clock } from '../clock.js'
import { isTransient } from '../errors.js'
import type { CloseReason } from '../hub/close-reason.js'
import type { Hub } from '../hub/hub.js'
import { type Owner, type Sink, Subscriber } from '../hub/subscriber.js'
import { around } from '../jitter.js'
import { routingKey } from '../message.js'

/** How long, in ms, until it is tried again to confirm an identity when nobody could say. */
const confirmAgainMs = 30_000

/** The longest, in ms, until it is looked whether something fell due: the machine's clock may be set meanwhile. */
const lookAgainMs = 3_600_000

/** What sessions share. */
export interface SessionServices {
  readonly clock: Clock
  readonly authenticator: Authenticator
  readonly hub: Hub
  readonly memberships: Memberships
  /** Names and patterns that everybody may ask for. */
  readonly anonymousChannels: readonly string[]
  readonly heartbeatMs: number
  /** Milliseconds for which an identity is believed when it cannot be confirmed. */
  readonly staleIfErrorMs: number
  /** Channels of one subscriber. */
  readonly limits: { readonly maxChannels: number }
}

/** What a request asks for and who makes it; not a connection, which may come and go. */
export interface Ask {
  readonly token: string | undefined
  readonly caller: Caller
  /** The channels it names; none: all that the identity lists. */
  readonly channels: readonly string[]
  /** The grants that came with it. */
  readonly grants: readonly Grant[]
}

/** One subscription: who, and to what. It answers for the identity as long as a stream is open. */
export class Session implements Owner {
  readonly #services: SessionServices
  readonly #ask: Ask
  #principal: Principal
  #channels: readonly string[] = []
  #refused: readonly RefusedGrant[] = []
  /** When the first of the grants ends, in Unix time in ms; undefined: none does. */
  #grantsEndMs: number | undefined
  /** When the identity must be confirmed, on the clock's monotonic scale. */
  #confirmAtMs = Number.POSITIVE_INFINITY
  /** Since when the identity could not be confirmed, on the clock's monotonic scale; undefined: it could. */
  #unconfirmedSinceMs: number | undefined

  constructor(services: SessionServices, ask: Ask, principal: Principal) {
    this.#services = services
    this.#ask = ask
    this.#principal = principal
    this.#confirmIn(principal.recheckMs)
  }

  /** Settles which channels it listens on, by what is known now. `maxChannels`: as many as it may have. */
  settle(): Entitlement & { readonly maxChannels: number } {
    const { clock, limits, memberships, anonymousChannels } = this.#services
    const { identity, askedMs, saidMs } = this.#principal
    const { channels: asked, grants } = this.#ask
    const { added, isHidden, forgottenMs } = memberships.of(identity.uid)
    // Where the CMS can be asked, it is: what is known of the user is void then.
    const isDoubtful = askedMs === undefined && forgottenMs !== undefined && saidMs <= forgottenMs
    const entitled = (granted: Pick<Entitling, 'added' | 'open' | 'lapsed'>) =>
      entitle(identity, {
        asked,
        open: [...anonymousChannels, ...granted.open],
        added: [...added, ...granted.added],
        lapsed: granted.lapsed,
        isHidden: channel => isDoubtful || isHidden(channel, saidMs),
      })
    // What was added by the CMS comes on top: it must not be what keeps a page from connecting.
    const maxChannels = limits.maxChannels + added.length
    const weighed = weighGrants(
      grants,
      identity.uid,
      clock.now(),
      granted => entitled({ ...granted, lapsed: [] }).channels.length <= maxChannels,
    )
    const entitlement = entitled(weighed)
    this.#channels = entitlement.channels
    this.#refused = weighed.refused
    this.#grantsEndMs = weighed.endMs === Number.POSITIVE_INFINITY ? undefined : weighed.endMs
    return { ...entitlement, maxChannels }
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

  /** One that listens in its name; `endReason` is what it is given when its life is over (undefined: a poll is simply answered). */
  subscriber(sink: Sink, endReason: CloseReason | undefined): Subscriber {
    const { identity, tokenHash } = this.#principal
    const { uid, visibleTo } = identity
    return new Subscriber({ sink, owner: this, uid, visibleTo, tokenHash, keys: this.keys, endReason })
  }

  /** The data of `ready`, and its version: a client that has this version need not be told. */
  ready(): { readonly json: string; readonly version: string } {
    const { uid, info } = this.#principal.identity
    const heartbeat = this.#services.heartbeatMs / 1_000
    const presence = uid === null ? [] : this.#services.hub.presence.seenBy(uid)
    const channels = this.#channels
    const refused = this.#refused
    const version = hash(
      'sha256',
      JSON.stringify([uid, channels, heartbeat, presence, refused, info]),
      'base64url',
    ).slice(0, 8)
    const json = JSON.stringify({ uid, channels, heartbeat, v: version, presence, refused, info })
    return { json, version }
  }

  /** Milliseconds until something falls due for a subscription that lasts; undefined: nothing does. */
  get dueInMs(): number | undefined {
    return this.#inMs(this.#confirmAtMs - this.#services.clock.monotonic())
  }

  /** The same for one that is over before its identity has to be confirmed. */
  get endsInMs(): number | undefined {
    return this.#inMs(Number.POSITIVE_INFINITY)
  }

  due(subscriber: Subscriber): void {
    const { clock, hub } = this.#services
    if (this.#endMs <= clock.now()) {
      hub.close(subscriber, 'expired')
      return
    }
    this.#settleLive(subscriber)
    if (this.#confirmAtMs <= clock.monotonic()) this.recheck(subscriber)
    this.#callAgain(subscriber)
  }

  /** Settles the channels anew, and applies the difference to the live connection. */
  reconsider(subscriber: Subscriber): void {
    this.#settleLive(subscriber)
    // More was taken away than is remembered: only the CMS can say what is left.
    if (this.#services.authenticator.isVoid(this.#principal)) this.recheck(subscriber)
  }

  #settleLive(subscriber: Subscriber): void {
    const { authenticator, hub, memberships } = this.#services
    const before = this.ready().version
    const had = new Set([...this.#channels, ...memberships.of(this.#principal.identity.uid).added])
    this.settle()
    // Until the CMS has said what is left, nothing may come back that was taken away, but for what is added anew.
    if (authenticator.isVoid(this.#principal)) {
      this.#channels = this.#channels.filter(channel => had.has(channel))
    }
    const ready = this.ready()
    if (ready.version !== before) hub.update(subscriber, this.keys, ready.json)
  }

  /** Asks the CMS again. Yes: the difference is applied to the live connection. No: it is closed as `expired`. */
  recheck(subscriber: Subscriber): void {
    const { token, caller } = this.#ask
    const { askedMs } = this.#principal
    if (token === undefined || askedMs === undefined) return
    this.#confirmIn(undefined)
    this.#services.authenticator.confirm(token, caller, askedMs).then(
      principal => this.#confirmed(subscriber, principal),
      (error: unknown) => this.#notConfirmed(subscriber, error),
    )
  }

  /** Tells the connection anew what holds for it, who is online among that. */
  renew(subscriber: Subscriber): void {
    this.#services.hub.renew(subscriber, this.ready().json)
  }

  #confirmed(subscriber: Subscriber, principal: Principal): void {
    const { hub } = this.#services
    const before = this.ready().version
    const isSameUser = principal.identity.uid === this.#principal.identity.uid
    this.#unconfirmedSinceMs = undefined
    this.#principal = principal
    if (!isSameUser) {
      // Never continues as somebody else: the page must begin anew.
      hub.close(subscriber, 'expired')
      return
    }
    this.settle()
    hub.reveal(subscriber, principal.identity.visibleTo, principal.askedMs)
    const ready = this.ready()
    if (ready.version !== before) hub.update(subscriber, this.keys, ready.json)
    this.#confirmIn(principal.recheckMs)
    this.#callAgain(subscriber)
  }

  #notConfirmed(subscriber: Subscriber, error: unknown): void {
    const { clock, hub, staleIfErrorMs } = this.#services
    this.#unconfirmedSinceMs ??= clock.monotonic()
    if (!isTransient(error) || clock.monotonic() - this.#unconfirmedSinceMs >= staleIfErrorMs) {
      hub.close(subscriber, 'expired')
      return
    }
    this.#confirmIn(around(confirmAgainMs))
    this.#callAgain(subscriber)
  }

  get #endMs(): number {
    return this.#principal.expiresMs ?? Number.POSITIVE_INFINITY
  }

  #inMs(confirmInMs: number): number | undefined {
    const endInMs =
      Math.min(this.#endMs, this.#grantsEndMs ?? Number.POSITIVE_INFINITY) - this.#services.clock.now()
    const ms = Math.min(endInMs, confirmInMs)
    return ms === Number.POSITIVE_INFINITY ? undefined : Math.min(Math.max(0, ms), lookAgainMs)
  }

  #confirmIn(ms: number | undefined): void {
    this.#confirmAtMs = ms === undefined ? Number.POSITIVE_INFINITY : this.#services.clock.monotonic() + ms
  }

  #callAgain(subscriber: Subscriber): void {
    const { dueInMs } = this
    if (dueInMs !== undefined) this.#services.hub.recheckIn(subscriber, dueInMs)
  }
}
