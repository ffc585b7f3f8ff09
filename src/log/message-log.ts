import type { Cursor } from '../cursor.js'
import type { Message } from '../message.js'
import type { Entry } from './entry.js'

/** Close the user's connections and refuse the user for a while. */
export interface KickCommand {
  readonly kind: 'kick'
  readonly uid: string
  readonly holdMs: number
}

/** Close the token's connections and refuse it for a while. */
export interface LogoutCommand {
  readonly kind: 'logout'
  readonly tokenHash: string
  readonly holdMs: number
}

/** Add a channel for the user's present and future connections, or take it away. */
export interface MembershipCommand {
  readonly kind: 'membership'
  readonly uid: string
  readonly channel: string
  readonly change: 'add' | 'remove'
}

/** Ask the CMS anew who the user is, and apply the difference to the user's connections. */
export interface RefreshCommand {
  readonly kind: 'refresh'
  readonly uid: string
}

/** What the CMS tells every node, in one order with the messages. */
export type Command = KickCommand | LogoutCommand | MembershipCommand | RefreshCommand

/** How much a log holds; what is over any of the three is evicted, oldest first. */
export interface Retention {
  readonly entries: number
  readonly ageMs: number
  /** Bytes of memory, about: frames, keys, and what comes with them. */
  readonly bytes: number
}

/**
 * The journal of one site: append-only, totally ordered, bounded by its retention.
 *
 * Order: every follower gets the same entries in the same order, and `n` counts them without a hole. Atomicity: an append is
 * stored as a whole or not at all. Durability: as the implementation says; an append resolves once that is reached.
 */
export interface MessageLog {
  /**
   * Appends the items behind one another and resolves to their cursors.
   *
   * An item whose idempotency key was appended within the idempotency window is not appended again: its cursor is that of the
   * first time. Rejects with `IdempotencyConflict`, and appends nothing, when such an item is not the same message.
   * Rejects when the log is closed.
   */
  append(items: readonly (Message | Command)[]): Promise<readonly Cursor[]>

  /**
   * Reads on for ever: first `reset` with the place before the oldest entry held, then every entry. Returns a function
   * that ends it; nothing is called afterwards.
   */
  follow(follower: Follower): () => void

  /** Ends all followers; later appends reject. What was stored stays as the implementation says. */
  close(): Promise<void>
}

/** Somebody who reads the log on. Both methods are called synchronously. They MUST NOT throw, and MUST NOT append or follow. */
export interface Follower {
  /**
   * The follower's place is `floor` now, in a log born at `birthMs`. The first call begins the reading. A later one means that
   * the place was lost (the log's tail, or all of it): what lies between may be missing.
   */
  reset(floor: Cursor, birthMs: number): void
  /** The next entries; the first has the `n` after the follower's place. */
  apply(entries: readonly Entry[]): void
}
