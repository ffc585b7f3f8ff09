import type { Cursor, Since } from '../cursor.js'
import type { Batch } from './batch.js'
import type { CloseReason } from './close-reason.js'

/** Where a subscriber's frames go: one open stream or one waiting poll. Transports implement it. */
export interface Sink {
  readonly transport: 'sse' | 'poll'
  /** Bytes of the window that are handed over at once. */
  readonly pageBytes: number
  /** Whether the peer has more than enough unread; `Hub.drained` must be called when that ends. */
  readonly isBlocked: boolean
  /** Bytes handed over that the peer has not taken. */
  readonly backlogBytes: number
  /** Hands over frames. MUST NOT throw, MUST keep their order, MUST NOT call the hub synchronously. */
  write(batch: Batch): void
  /**
   * Nothing more will be written: ends once what was handed over has been sent. `reached`: what was written is everything up
   * to there; undefined: only what was written is known.
   */
  end(reached: Cursor | undefined): void
  /** Ends at once. */
  destroy(): void
}

/**
 * `catching-up`: reads the window. `live`: gets what is applied. `waiting`: its cursor is ahead of this node. `closed`: gets
 * nothing more.
 */
export type SubscriberState = 'catching-up' | 'live' | 'waiting' | 'closed'

/** Who answers for a subscriber's identity. */
export interface Owner {
  /** The time set by `Hub.recheckIn` has come. The owner sets the next one, if any, or closes. MUST NOT throw. */
  due(subscriber: Subscriber): void
  /** The identity must be confirmed now. MUST NOT throw. */
  recheck(subscriber: Subscriber): void
  /** The user's memberships have changed: `Hub.update` is due if that changes what it may read. MUST NOT throw. */
  reconsider(subscriber: Subscriber): void
  /** Something of what `ready` told is no longer so, or was lost: the owner tells it anew by `Hub.renew`. MUST NOT throw. */
  renew(subscriber: Subscriber): void
}

/** What a subscriber is made of. */
export interface SubscriberOptions {
  readonly sink: Sink
  readonly owner: Owner
  /** The user, or null for an anonymous reader. */
  readonly uid: string | null
  /** The users who are told that this one is online; empty: nobody. */
  readonly visibleTo: readonly string[]
  /** sha256 of the token, where there is one. */
  readonly tokenHash: string | undefined
  /** The routing keys it listens on. */
  readonly keys: readonly string[]
  /** The reason it is given when its life is over; undefined: a poll is simply answered. */
  readonly endReason: CloseReason | undefined
}

/** How a subscriber begins. */
export interface Join {
  /** Where it wants to go on from; undefined: from *applied*. */
  readonly since: Since | undefined
  /** The JSON of its `ready`; undefined: it has that already. */
  readonly ready: string | undefined
  /** Whether the client has never received anything before. */
  readonly isInitial: boolean
  /** Milliseconds after which it ends; undefined: never. */
  readonly lifeMs: number | undefined
  /** Milliseconds after which something falls due for its owner; undefined: nothing does. */
  readonly recheckMs: number | undefined
  /** When the CMS was asked about its identity, on the clock's monotonic scale; undefined: it was not. */
  readonly heardMs: number | undefined
}

/** One reader of the log: a cursor with an outbox. The hub alone changes it. */
export class Subscriber {
  readonly sink: Sink
  readonly owner: Owner
  readonly uid: string | null
  readonly tokenHash: string | undefined
  readonly endReason: CloseReason | undefined
  keys: readonly string[]
  /** Its number on this node, from 1 in the order of joining. */
  id = 0
  /** When it joined, on the clock's monotonic scale, in whole ms. */
  joinedMs = 0
  /** Belongs to presence. */
  visibleTo: readonly string[]
  /** Frames about other users' presence were dropped from the outbox: it must be told anew who is online. */
  hasLostPresence = false
  state: SubscriberState = 'catching-up'
  /** Everything for its keys up to this `n` was put into the outbox or handed to the sink. */
  position = 0
  /** The outbox: what waits to be handed to the sink. */
  pending: Batch | undefined
  isQueued = false
  /** Since the last look at its heartbeat something was written that names a place: at first that of `ready`. */
  hasHeard = true
  /** Belongs to the timer wheel. */
  slot = 0
  /** The ticks at which something is due; 0: never. */
  heartbeatTick = 0
  endTick = 0
  recheckTick = 0
  stalledTick = 0

  constructor(options: SubscriberOptions) {
    this.sink = options.sink
    this.owner = options.owner
    this.uid = options.uid
    this.tokenHash = options.tokenHash
    this.keys = options.keys
    this.visibleTo = options.visibleTo
    this.endReason = options.endReason
  }

  /** The earliest tick at which something is due; 0: never. */
  get nextTick(): number {
    let next = this.endTick
    for (const tick of [this.heartbeatTick, this.recheckTick, this.stalledTick]) {
      if (tick !== 0 && (next === 0 || tick < next)) next = tick
    }
    return next
  }
}
