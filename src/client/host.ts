import type { Gap } from './frames.js'
import type { ConnectOptions } from './options.js'
import type { Receive } from './receiver.js'
import type { TokenSource } from './token.js'

/** What surrounds a connection: a page, or a program in Node. */
export interface Host {
  /** Where tokens come from, in place of the option `token`. */
  source(options: ConnectOptions): TokenSource | undefined
  /** How messages come. */
  readonly receive: Receive
  /** A gap, when its time has come, after the option's handler. */
  tellGap(gap: Gap): void
  /** Nothing is received until it is woken. */
  rest(): void
  /** Pauses and wakes the connection, until the function that it returns is called. */
  follow(pause: () => void, wake: () => void, options: ConnectOptions): () => void
}
