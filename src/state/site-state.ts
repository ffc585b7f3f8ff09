/** What is kept: refused tokens (key: hash), refused users (key: uid), memberships (key: uid and channel). */
export type StateKind = 'revoked-token' | 'held-user' | 'membership'

/** One thing to remember, until it expires. */
export interface StateRecord {
  readonly key: string
  /** Any JSON. */
  readonly value: unknown
  /** Unix time in ms from which the record is gone. */
  readonly expiresMs: number
}

/**
 * What must outlive the log's retention. Every record expires; nothing is kept for ever.
 *
 * Atomicity: each call by itself. Durability: as the implementation says; a call resolves once that is reached. An expired
 * record is never returned. After `close` every call rejects.
 */
export interface SiteState {
  /** Keeps the record; one of the same kind and key is replaced. */
  put(kind: StateKind, record: StateRecord): Promise<void>
  /** The record, or undefined. */
  get(kind: StateKind, key: string): Promise<StateRecord | undefined>
  /** Forgets the record; no error when there is none. */
  delete(kind: StateKind, key: string): Promise<void>
  /** All records of a kind, in no order. What is put or deleted meanwhile may or may not be among them. */
  list(kind: StateKind): AsyncIterable<StateRecord>
  close(): Promise<void>
}
