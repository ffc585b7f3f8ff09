import { request } from './request.js'
import type { TokenSource } from './token.js'

/** Fetches the session from a route of the CMS, with the cookies of its origin. */
export function sessionFrom(url: string): TokenSource {
  return (settle: (answer: unknown) => void) => {
    request(url, true, (status, body) => settle(status === 200 ? body : Error(`status ${status}`)))
  }
}
