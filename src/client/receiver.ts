import type { Close, Gap, Message, Ready } from './frames.js'

/** What came: the answer to a poll, or one frame of a stream. Its parts are meant in this order. */
export interface Batch {
  readonly ready?: Ready | undefined
  /** The receiver knows better than the server whether something came before, and says so in here. */
  readonly gap?: (Gap & { initial: boolean }) | undefined
  readonly messages: readonly Message[]
  /** Whoever has taken all of this has everything up to here. Empty on a stream that has not named a place yet. */
  readonly cursor: string
  readonly close?: Close | undefined
}

/** What the server answers instead. */
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

/** What a transport works for. */
export interface Receiver {
  /** Where to ask now; `own` is the transport's own part of the query string. */
  address(path: 'stream' | 'poll', own?: string): string
  /** Takes what came. The page's code runs in here, and may stop the transport; it takes nothing more then. */
  take(batch: Batch): void
  /** There is no connection. Status 0: there was no answer. The transport is stopped. */
  fail(status: number, refusal: Refusal): void
}

/** Starts to receive, and returns what stops it. What comes is handed on in later turns only. */
export type Receive = (receiver: Receiver, credentials: boolean) => () => void

/** What a request for JSON is answered with. */
export type Answer = (Batch & Refusal) | (Refusal & { readonly messages?: undefined })

/**
 * Asks for JSON.
 *
 * @param done gets the status (0: no answer) and the body, which is empty if it is not JSON
 * @returns what aborts the request; `done` is not called then
 */
export type Request = (
  url: string,
  credentials: boolean,
  done: (status: number, body: Answer) => void,
) => () => void
