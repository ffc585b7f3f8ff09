import type { Close, Gap, Message, Ready } from './frames.js'

/** What came: the answer to a poll, or one frame of a stream. Its parts are meant in this order. */
export interface Batch {
  ready?: Ready | undefined
  /** The receiver knows better than the server whether something came before, and says so in here. */
  readonly gap?: (Gap & { initial: boolean }) | undefined
  messages: readonly Message[]
  /** Whoever has taken all of this has everything up to here. Empty on a stream that has not named a place yet. */
  readonly cursor: string
  /** Without a reason: it is this side that comes back. */
  readonly close?:
    | Close
    | { readonly reconnect: true; readonly reason?: undefined; readonly retryMs?: undefined }
    | undefined
}

/** What the server answers instead, in whose place there is no connection. */
export interface Refusal {
  /** `DOWNPIPE_…`; missing when the answer is not the push server's. */
  readonly code?: string
  /** The same in a sentence. */
  readonly message?: string
  /** The channel that is not allowed. */
  readonly channel?: string
  /** Seconds after which to ask again. */
  readonly retryAfter?: number
}

/** What may come: the one has messages, if only none of them, and the other has not. */
export type Answer = Batch | (Refusal & { readonly [Name in keyof Batch]?: undefined })

/**
 * Where to ask now, by a path with the transport's own part of the query string: the rest comes behind its `?` or `&`. It ends with
 * the cursor.
 */
export type Address = (path: string) => string

/**
 * Takes what came. The page's code runs in here, and may stop the transport; it takes nothing more then. A refusal always stops
 * it.
 *
 * @param status the HTTP status, if a request has ended; 0 if there was no answer
 */
export type Take = (answer: Answer, status?: number) => void

/** Starts to receive, and returns what stops it. What comes is handed on in later turns only. */
export type Receive = (address: Address, take: Take) => () => void

/**
 * Asks for JSON.
 *
 * @param done gets the body, which is empty if it is not JSON, and the status (0: no answer)
 * @returns what aborts the request; `done` is not called then
 */
export type Request = (url: string, done: Take) => () => void
