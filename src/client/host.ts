import type { Gap } from './frames.js'
import type { Receive } from './receiver.js'
import type { TokenSource } from './token.js'

/** What surrounds a connection: a page, or a program in Node. */
export interface Host {
  /** Where tokens come from, in place of the option `token`. */
  readonly source?: TokenSource | undefined
  /** How messages come. */
  readonly receive: Receive
  /** A gap, when its time has come, after the option's handler. */
  gap(gap: Gap): void
  /** Nothing is received any more: until it is woken, or, if it is over, for good. */
  rest(isOver: boolean): void
}
