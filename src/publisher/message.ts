/**
 * A message as `POST /v1/publish` takes it. Exactly one target: `channel`, `channels`, `uid`, `uids` or `broadcast`. The server
 * checks it; here it is only written as JSON.
 */
export interface Message {
  /** The target: one channel. Beside `uid`, `uids` or `broadcast`: a label by which the page dispatches. */
  readonly channel?: string
  /** The target: up to 100 channels; a subscriber of several gets the message once. */
  readonly channels?: readonly string[]
  /** The target: one user, on all connections. */
  readonly uid?: string | number
  /** The target: up to 1,000 users. */
  readonly uids?: readonly (string | number)[]
  /** The target: everybody. */
  readonly broadcast?: true
  /** Any JSON, by default `null`. */
  readonly data?: unknown
  /** Only these callbacks of the page run. */
  readonly callback?: string | readonly string[]
  /** Any word, for the page. */
  readonly type?: string
  /** The page view (`push.page`) that made the change and need not be told. */
  readonly except?: string
  /** Seconds for which it may be replayed; 0: live only. By default as long as the log holds it. */
  readonly ttl?: number
  /** By default one is made, so that a repetition is never a second message. Give your own to be safe across processes. */
  readonly idempotencyKey?: string
}
