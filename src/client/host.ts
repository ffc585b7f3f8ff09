import type { Gap } from './frames.js'
import type { Receive, Subscription } from './receiver.js'
import type { TokenSource } from './token.js'

/** Runs a task after a time in ms. Nothing is amiss if it never does. */
export type Later = (task: () => void, ms: number) => void

/** What surrounds a connection: a page, or a program in Node. */
export interface Host {
  /** Stands in place of the option `token`. */
  readonly session?: TokenSource | undefined
  /** How messages come. */
  readonly receive: Receive<Subscription>
  /** Sets the timer of a gap. */
  readonly later: Later
  /** A gap, when its time has come, after the option's handler. */
  gap(gap: Gap): void
  /** Nothing is received any more: for now, or for good. */
  rest(isOver: boolean): void
  /** Says what happens, to whoever looks for a fault. Never a token, a grant or a query string. */
  note(sentence: string): void
}
