import * as http from 'node:http'
import * as https from 'node:https'
import type { Answer } from '../receiver.js'

/** The longest answer or event, in characters: more than a server can be configured for. It stops one without an end. */
export const maxLength = 80 * 1024 * 1024

/** Characters of a refusal; whoever answers with more is not the push server. */
const maxRefusalLength = 64 * 1024

/** How to ask. */
export interface Ask {
  /** The type of answer that is wanted. */
  readonly accept: string
  /** Milliseconds of silence after which the request is destroyed. */
  readonly timeoutMs: number
  /** Where the stream that goes on here has ended; empty: nowhere. */
  readonly lastEventId?: string
  /** Whether the connection is for this request only. */
  readonly isAlone?: boolean
}

/**
 * Sends a GET request. The token leaves the address for the Authorization header: a service key counts nowhere else, and no
 * proxy writes it down there. Redirects are not followed, because they might take it elsewhere.
 *
 * @throws TypeError when the token cannot be in a header
 */
export function ask(address: string, { accept, timeoutMs, lastEventId, isAlone }: Ask): http.ClientRequest {
  const url = new URL(address)
  const token = url.searchParams.get('token')
  url.searchParams.delete('token')
  const request = (url.protocol === 'https:' ? https : http).get(url, {
    ...(isAlone && { agent: false }),
    timeout: timeoutMs,
    headers: {
      accept,
      ...(token && { authorization: `Bearer ${token}` }),
      ...(lastEventId && { 'last-event-id': lastEventId }),
    },
  })
  request.on('timeout', () => request.destroy(new Error(`Nothing came for ${timeoutMs / 1000} s`)))
  return request
}

/**
 * Reads an answer that may be JSON.
 *
 * @param done gets the body, which is missing if it is not JSON, is too long, or was cut off
 */
export function readAnswer(
  response: http.IncomingMessage,
  done: (body: Answer | undefined) => void,
  longest = maxRefusalLength,
): void {
  let pieces: string[] = []
  let length = 0
  response.setEncoding('utf8')
  response.on('data', (piece: string) => {
    length += piece.length
    pieces.push(piece)
    if (length > longest) {
      pieces = []
      response.destroy()
    }
  })
  // What it ends with tells nothing that the missing body does not.
  response.on('error', () => {})
  response.on('close', () => {
    let body: Answer | undefined
    try {
      body = JSON.parse(pieces.join('')) || undefined
    } catch {
      // Not from the push server: a proxy's error page, or half an answer.
    }
    done(body)
  })
}
