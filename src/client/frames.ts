/**
 * A message as a page gets it.
 *
 * @typeParam Data what the publisher put into `data`; trusted to be what the page says it is, never checked
 */
export interface Message<Data = unknown> {
  /** The message's place in the log. Missing on what is never stored, such as presence. */
  readonly id?: string
  /** The channel it was sent to, or the label that it carries when it was sent to users. */
  readonly channel?: string
  /** The channels it was sent to, when there are several. */
  readonly channels?: readonly string[]
  /** The publisher's data. */
  readonly data: Data
  /** The callbacks that the message names. Only these run, whatever its channel. */
  readonly callback?: string | readonly string[]
  /** What kind of message it is: the publisher's word, or `presence`. */
  readonly type?: string
  /** The page view that must not get the message; see `Push.page`. */
  readonly except?: string
}

/**
 * What the server says when a subscription stands: at the start, after every reconnect, and when it has changed in between (the
 * CMS gave or took a channel, a grant has ended). Each one is whole, and counts in place of the one before.
 */
export interface Ready {
  /** The user's id at the CMS; null for an anonymous visitor. */
  readonly uid: string | null
  /** The channels that this page now listens on. */
  readonly channels: readonly string[]
  /** Seconds between two signs of life on a stream. */
  readonly heartbeat: number
  /** The version of this record: it changes when the server has something else to say here. */
  readonly v: string
  /** The ids of the users who are online, of those whom this one may see. */
  readonly presence: readonly string[]
  /** The grants that were not accepted, each by its place among those given (from 0). They never fail a connection. */
  readonly refused: readonly { readonly grant: number; readonly reason: string }[]
  /** Whatever the CMS wants its page to know about the user. */
  readonly info?: unknown
}

/** A user came or went. It is never stored: who was away when it happened reads `Ready.presence` of the next `ready`. */
export interface Presence {
  /** The user's id at the CMS. */
  readonly uid: string
  /** `online` from the first connection on, `offline` a few seconds after the last. */
  readonly event: 'online' | 'offline'
}

/** Messages for this page may be missing: fetch again what the page shows. */
export interface Gap {
  /** The cursor that could not be honoured. */
  readonly since: string
  /** The cursor from which the connection goes on. */
  readonly cursor: string
  /** Why, in one word: `old` and the like. */
  readonly reason: string
  /** The time in ms over which the server wanted the pages spread; the script has waited its part of it already. */
  readonly spreadMs: number
  /**
   * True if nothing had come over this connection before: a page from a page cache, as a rule. Reloading would bring the
   * same page again, so reload for it once at most.
   */
  readonly initial: boolean
}

/** Why the server closed the connection. */
export interface Close {
  /** `slow`, `kick`, `logout`, `expired`, `busy`, `shutdown`, `age` or `forbidden`. */
  readonly reason: string
  /** Whether the script comes back by itself. */
  readonly reconnect: boolean
  /** The time in ms after which it does. */
  readonly retryMs: number
}

/** Why a connection could not be made. */
export interface PushError {
  /**
   * The server's code (`DOWNPIPE_…`), or `network` (no answer, or one that is not the server's), or `token` (the page's
   * token function failed).
   */
  readonly code: string
  /** The same in a sentence, for developers. */
  readonly message: string
  /** The HTTP status; 0 if there was none. */
  readonly status: number
  /** True if the script has given up: asking again would bring the same answer. Otherwise it tries again by itself. */
  readonly final: boolean
}
