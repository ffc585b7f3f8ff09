import { readObject } from './json.js'
import type { Answer, Request } from './receiver.js'

// Later than this, the answer to a poll of 25 s is lost, and so is the connection.
const TIMEOUT_MS = 40000

/**
 * Asks by XMLHttpRequest, because old browsers have no fetch, and without headers of our own, because these would cost a
 * preflight request.
 */
export const request: Request = (url, credentials, done) => {
  const xhr = new XMLHttpRequest()
  const finish = () => done(xhr.status, readObject<Answer>(xhr.responseText))
  xhr.open('GET', url)
  xhr.withCredentials = credentials
  xhr.timeout = TIMEOUT_MS
  xhr.onload = finish
  xhr.onerror = finish
  xhr.ontimeout = finish
  xhr.send()
  // Aborting calls none of the three.
  return () => xhr.abort()
}
