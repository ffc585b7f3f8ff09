import { readObject } from './json.js'
import type { Answer, Request } from './receiver.js'

// Later than this, the answer to a poll of 25 s is lost, and so is the connection.
const TIMEOUT_MS = 40000

/**
 * Asks by XMLHttpRequest, because old browsers have no fetch, and without headers of our own, because these would cost a
 * preflight request.
 *
 * @param credentials whether cookies are sent to another origin
 */
export function requestWith(credentials: boolean): Request {
  return (url, done) => {
    const xhr = new XMLHttpRequest()
    xhr.open('GET', url)
    xhr.withCredentials = credentials
    xhr.timeout = TIMEOUT_MS
    xhr.onloadend = () => done(readObject<Answer>(xhr.responseText) || {}, xhr.status)
    xhr.send()
    return () => {
      xhr.onloadend = null
      xhr.abort()
    }
  }
}
