// Later than this, the answer to a poll of 25 s is lost, and so is the connection.
const TIMEOUT_MS = 40000

/**
 * Asks for JSON by XMLHttpRequest, because old browsers have no fetch, and without headers of our own, because these would
 * cost a preflight request.
 *
 * @param done gets the status (0: no answer) and the body, which is missing if it is not JSON
 * @returns what aborts the request; `done` is not called then
 */
export function request<Body>(
  url: string,
  credentials: boolean,
  done: (status: number, body?: Body) => void,
): () => void {
  const xhr = new XMLHttpRequest()
  const finish = () => {
    let body: Body | undefined
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
