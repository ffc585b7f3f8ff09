import type { Cancel, Clock } from '../clock.js'
import { Frame } from '../frame.js'
import { Audience } from './audience.js'
import { SlicedQueue } from './sliced-queue.js'

/** What becomes of a user. */
export type PresenceEvent = 'online' | 'offline'

/** What presence needs. */
export interface PresenceOptions {
  readonly clock: Clock
  /** Milliseconds after the last connection for which a user still is online: a page change is not a departure. */
  readonly presenceGraceMs: number
  /** Milliseconds from the beginning in which nobody is told of anybody: after a restart they all come back at once. */
  readonly presenceQuietMs: number
  /** Told of every user who comes or goes; undefined: nobody wants to know of those whom no other user may see. */
  readonly onEvent: ((uid: string, event: PresenceEvent) => void) | undefined
  /** Every connection of the viewer must get the frame. */
  readonly onFrame: (viewer: string, frame: Frame) => void
  /** Whom the viewer may see is not what it was told, and no frame has said so: it must be told anew. */
  readonly onStale: (viewer: string) => void
}

/** What presence looks at of a subscriber. */
export interface Visitor {
  /** The user; null for an anonymous reader, who is never online. */
  readonly uid: string | null
  /** The users who are told of this one, by the identity of this connection. Presence alone changes it. */
  visibleTo: readonly string[]
}

/** A user who is online, or has been until less than a grace ago. */
interface OnlineUser {
  readonly uid: string
  /** Connections that are counted. */
  connections: number
  /** Who is told, as the CMS said last; may name one twice. */
  visibleTo: readonly string[]
  /** When the CMS was asked about that, on the clock's monotonic scale. */
  heardMs: number
}

/**
 * Who is online, and who is told.
 *
 * A user is online from the first connection until the last one has been gone for the grace. What the CMS was asked last about
 * `visibleTo`, with whatever token, holds for all the user's connections until then: tabs with answers of different age do not
 * make the user come and go.
 *
 * Best effort: frames are outside the log, never replayed, and lost with the connection. The state is in each `ready`.
 *
 * A user whom nobody may see, and nobody wants to know of, costs nothing. Else a record, and an entry for each viewer.
 */
export class Presence {
  readonly #options: PresenceOptions
  readonly #users = new Map<string, OnlineUser>()
  /** Under each viewer, the users whom that one may see. */
  readonly #seen = new Audience<OnlineUser>()
  /** Users without a connection, and when they are gone. All wait equally long, so the first is always the next. */
  readonly #leaving = new Map<OnlineUser, number>()
  #phase: 'quiet' | 'telling' | 'stopped' = 'quiet'
  /** Viewers who were not told of a change in the quiet time. */
  #untold = new Set<string>()
  #stopQuiet: Cancel = () => {}
  #stopWatching: Cancel | undefined

  constructor(options: PresenceOptions) {
    this.#options = options
    if (options.presenceQuietMs === 0) this.#phase = 'telling'
    else this.#stopQuiet = options.clock.after(options.presenceQuietMs, () => this.#endQuiet())
  }

  /** The users who are online and whom the viewer may see, sorted. */
  seenBy(viewer: string): readonly string[] {
    const uids: string[] = []
    this.#seen.forEach(viewer, ({ uid }) => uids.push(uid))
    return uids.sort()
  }

  /** A connection begins. `heardMs`: when the CMS was asked about its identity (monotonic); none: before all others. */
  enter(visitor: Visitor, heardMs = Number.NEGATIVE_INFINITY): void {
    const { uid, visibleTo } = visitor
    if (uid === null) return
    if (this.#counts(visibleTo)) this.#come(uid)
    const user = this.#users.get(uid)
    if (user !== undefined) this.#show(user, visibleTo, heardMs)
  }

  /** A connection that entered is gone. */
  leave({ uid, visibleTo }: Visitor): void {
    const user = uid === null ? undefined : this.#users.get(uid)
    if (user === undefined || !this.#counts(visibleTo)) return
    user.connections -= 1
    if (user.connections > 0 || this.#phase === 'stopped') return
    const { clock, presenceGraceMs } = this.#options
    this.#leaving.set(user, clock.monotonic() + presenceGraceMs)
    if (this.#stopWatching === undefined) this.#watch()
  }

  /** Other users may see the one of this connection from now on. `heardMs` as in `enter`. */
  reveal(visitor: Visitor, visibleTo: readonly string[], heardMs?: number): void {
    const before = { uid: visitor.uid, visibleTo: visitor.visibleTo }
    visitor.visibleTo = visibleTo
    this.enter(visitor, heardMs)
    this.leave(before)
  }

  /** Nobody is told of anything any more, and no timer runs: a server that goes away must not call everybody offline. */
  stop(): void {
    this.#phase = 'stopped'
    this.#stopQuiet()
    this.#stopWatching?.()
  }

  #counts(visibleTo: readonly string[]): boolean {
    return visibleTo.length > 0 || this.#options.onEvent !== undefined
  }

  #come(uid: string): void {
    let user = this.#users.get(uid)
    if (user === undefined) {
      user = { uid, connections: 0, visibleTo: [], heardMs: Number.NEGATIVE_INFINITY }
      this.#users.set(uid, user)
      this.#report(uid, 'online')
    }
    user.connections += 1
    this.#leaving.delete(user)
  }

  #go(user: OnlineUser): void {
    this.#show(user, [], Number.POSITIVE_INFINITY)
    this.#users.delete(user.uid)
    this.#report(user.uid, 'offline')
  }

  /** One timer for all who are leaving; it is not moved when the first of them comes back. */
  #watch(): void {
    const { clock } = this.#options
    const [next] = this.#leaving.values()
    this.#stopWatching =
      next === undefined ? undefined : clock.after(next - clock.monotonic(), () => this.#takeLeave())
  }

  #takeLeave(): void {
    const now = this.#options.clock.monotonic()
    for (const [user, goneMs] of this.#leaving) {
      if (goneMs > now) break
      this.#leaving.delete(user)
      this.#go(user)
    }
    this.#watch()
  }

  #show(user: OnlineUser, visibleTo: readonly string[], heardMs: number): void {
    if (heardMs < user.heardMs) return
    user.heardMs = heardMs
    if (isSame(user.visibleTo, visibleTo)) return
    const hidden = without(user.visibleTo, visibleTo)
    const shown = without(visibleTo, user.visibleTo)
    user.visibleTo = visibleTo
    for (const viewer of hidden) this.#seen.remove(viewer, user)
    for (const viewer of shown) this.#seen.add(viewer, user)
    this.#tell(hidden, user.uid, 'offline')
    this.#tell(shown, user.uid, 'online')
  }

  #tell(viewers: readonly string[], uid: string, event: PresenceEvent): void {
    if (this.#phase === 'quiet') for (const viewer of viewers) this.#untold.add(viewer)
    if (this.#phase !== 'telling' || viewers.length === 0) return
    const frame = new Frame('message', undefined, JSON.stringify({ type: 'presence', data: { uid, event } }))
    for (const viewer of viewers) this.#options.onFrame(viewer, frame)
  }

  #report(uid: string, event: PresenceEvent): void {
    if (this.#phase === 'telling') this.#options.onEvent?.(uid, event)
  }

  /** Whoever connected in the quiet time may have come before those whom it may see. */
  #endQuiet(): void {
    const { clock, onStale } = this.#options
    this.#phase = 'telling'
    const renewals = new SlicedQueue<string>(clock, onStale)
    for (const viewer of this.#untold) renewals.push(viewer)
    this.#untold = new Set()
  }
}

function isSame(these: readonly string[], those: readonly string[]): boolean {
  return these === those || (these.length === those.length && these.every((each, i) => each === those[i]))
}

/** Each of `these` that is none of `those`, once. */
function without(these: readonly string[], those: readonly string[]): readonly string[] {
  const excluded = new Set(those)
  return [...new Set(these)].filter(each => !excluded.has(each))
}
