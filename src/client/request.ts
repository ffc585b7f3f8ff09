import type { Answer, Request } from './receiver.js'

// Later than this, the answer to a poll of 25 s is lost, and so is the connection.
const TIMEOUT_MS = 40000

/**
 * Asks by XMLHttpRequest, because old browsers have no fetch, and without headers of our own, because these would cost a
 * preflight request.
 */
export const request: Request = (url, credentials, done) => {
  const xhr = new XMLHttpRequest()
  const finish = () => {
    let body: Answer | undefined
    try {
      body = JSON.parse(xhr.responseText) || undefined
    } catch {
      // Not from the push server: a proxy's error page, or nothing at all.
    }
    done(xhr.status, body)
  }
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
