import { request } from './request.js'
import type { TokenSource } from './token.js'

/** What fetches the session from a route of the CMS, with the cookies of its origin. Without an address: nothing. */
export function sessionFrom(url: string | undefined): TokenSource | undefined {
  if (!url) return undefined
  return settle => {
    request(url, true, (status, body) => settle(status === 200 ? body : [`status ${status}`]))
  }
}
