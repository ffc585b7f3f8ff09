import type { PageOptions } from './page-options.js'
import { requestWith } from './request.js'
import type { TokenSource } from './token.js'

/** What fetches the session from a route of the CMS, with the cookies of its origin. Without an address: nothing. */
export function sessionFrom({ session }: PageOptions): TokenSource | undefined {
  if (!session) return undefined
  return settle => {
    requestWith(true)(session, (answer, status) => settle(status === 200 ? answer : [status]))
  }
}
