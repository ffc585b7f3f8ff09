import type { TokenSource } from './token.js'

/** Stands in place of what fetches sessions. */
export function sessionFrom(): TokenSource | undefined {
  return undefined
}
