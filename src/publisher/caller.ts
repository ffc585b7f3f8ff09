import type { IncomingMessage } from 'node:http'
import { type Endpoint, parseEndpoint } from './endpoint.js'
import { PublishError } from './publish-error.js'

/** The longest answer, in bytes, that is read: a wrong server that sends for ever fills no memory. */
const maxAnswerBytes = 1_048_576

/** The longest text of the server that is repeated in an error, in characters. */
const maxWords = 500

/** Makes publish calls, one attempt each, on connections that are kept. */
export class Caller {
  readonly #endpoint: Endpoint
  readonly #key: string

  /** @throws TypeError when url or key cannot be used. */
  constructor(url: string, key: string, site: string | undefined) {
    if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError('key: must be printable ASCII without spaces')
    this.#endpoint = parseEndpoint(url, site)
    this.#key = key
  }

  /**
   * Posts the JSON of messages and resolves to their ids.
   *
   * @param timeoutMs for everything together: name, connection, request and answer
   * @throws PublishError
   */
  post(json: string, timeoutMs: number): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const { request: send, options } = this.#endpoint
      const request = send({
        ...options,
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.#key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(json),
          accept: 'application/json',
        },
      })
      const late = setTimeout(() => request.destroy(timeoutError(timeoutMs)), timeoutMs)
      const fail = (thrown: unknown) => {
        clearTimeout(late)
        reject(PublishError.of(thrown))
      }
      request.on('error', fail)
      request.on('response', response => {
        response.on('error', fail)
        readText(response, text => {
          clearTimeout(late)
          const answer = parse(text)
          const ids = response.statusCode === 200 ? readIds(answer) : undefined
          if (ids === undefined) reject(this.#refusal(response, answer))
          else resolve(ids)
        })
      })
      request.end(json)
    })
  }

  /** Ends the connections. */
  close(): void {
    this.#endpoint.options.agent.destroy()
  }

  /** The error that an answer is. */
  #refusal({ statusCode: status = 0, headers }: IncomingMessage, answer: unknown): PublishError {
    // A proxy before a server that is away answers 502 or 504: then it is unknown what was stored, and repeating is safe.
    const isTransient = status === 408 || status === 429 || status >= 500
    const retryAfterMs = isTransient ? readRetryAfter(headers['retry-after']) : undefined
    if (!isErrorBody(answer)) {
      const text = `not Downpipe's answer: status ${status}, Content-Type ${headers['content-type'] ?? 'none'}`
      return new PublishError('DOWNPIPE_BAD_ANSWER', this.#clean(text), { status, isTransient, retryAfterMs })
    }
    const index = typeof answer.index === 'number' ? answer.index : undefined
    const text = this.#clean(answer.message)
    return new PublishError(answer.code, text, { status, isTransient, retryAfterMs, index })
  }

  /** What stands before the server may repeat the headers in its page; a key in a log is a key to change. */
  #clean(text: string): string {
    return text.replaceAll(this.#key, '…').slice(0, maxWords)
  }
}

function timeoutError(timeoutMs: number): PublishError {
  const text = `no answer within ${Math.round(timeoutMs)} ms`
  return new PublishError('DOWNPIPE_TIMEOUT', text, { isTransient: true })
}

/** Reads an answer to its end. One that is too long destroys the response with the problem. */
function readText(response: IncomingMessage, done: (text: string) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxAnswerBytes) chunks.push(chunk)
    else
      response.destroy(new PublishError('DOWNPIPE_BAD_ANSWER', `an answer of over ${maxAnswerBytes} bytes`))
  })
  response.on('end', () => done(Buffer.concat(chunks).toString('utf8')))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The ids of a good answer, to one message or to an array. */
function readIds(answer: unknown): readonly string[] | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const ids: unknown = 'ids' in answer ? answer.ids : 'id' in answer ? [answer.id] : undefined
  if (!Array.isArray(ids)) return undefined
  return ids.every((id: unknown) => typeof id === 'string') ? ids : undefined
}

function isErrorBody(answer: unknown): answer is { code: string; message: string; index?: unknown } {
  if (typeof answer !== 'object' || answer === null || !('code' in answer && 'message' in answer))
    return false
  return typeof answer.code === 'string' && typeof answer.message === 'string'
}

/** Seconds, or the date that a proxy may write, in ms from now. */
function readRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
