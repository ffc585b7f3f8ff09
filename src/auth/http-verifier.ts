import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Caller, Identity } from './identity.js'
import { identityFromAnswer, NotAnIdentity } from './identity-form.js'
import { type TokenVerifier, VerifierUnavailable } from './token-verifier.js'

/** Bytes of an answer that are read at the most: an auth URL that answers with a film must not fill the memory. */
const maxAnswerBytes = 1_048_576

/** How many are asked at once is for the verifier before this one to limit. */
const agentOptions = { keepAlive: true }

interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly text: string
}

/** A kept connection had been closed by the other side; a new one may do. */
class StaleConnection extends Error {}

/**
 * Asks the CMS: `POST <auth url>` with the service key as bearer and `{"token","ip","userAgent"}`.
 *
 * 200 with the documented JSON is an identity, 401 and 403 are a refusal; anything else (a redirect, an HTML page, a wrong
 * shape, an answer that is too long or too late) is `VerifierUnavailable` with a message that says what was wrong.
 *
 * `node:http` with kept connections, because `fetch` costs several times the garbage, and everybody who comes is asked about.
 */
export class HttpVerifier implements TokenVerifier {
  readonly #url: URL
  readonly #agent: HttpAgent
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  readonly #maxChannelBytes: number

  constructor(options: { url: string; serviceKey: string; timeoutMs: number; maxChannelBytes: number }) {
    this.#url = new URL(options.url)
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
    this.#headers = {
      authorization: `Bearer ${options.serviceKey}`,
      'content-type': 'application/json',
      accept: 'application/json',
    }
    this.#timeoutMs = options.timeoutMs
    this.#maxChannelBytes = options.maxChannelBytes
  }

  async verify(token: string, caller: Caller): Promise<Identity | undefined> {
    const body = JSON.stringify({ token, ip: caller.ip, userAgent: caller.userAgent })
    const answer = await this.#post(body, this.#agent).catch((error: unknown) => {
      // The CMS may close a kept connection in the moment in which it is used again; the next kept one may be as stale.
      if (error instanceof StaleConnection) return this.#post(body, false)
      throw error
    })
    if (answer.status === 401 || answer.status === 403) return undefined
    if (answer.status !== 200) throw new VerifierUnavailable(statusProblem(answer.status))
    return this.#identity(answer.text, answer.contentType)
  }

  /** `agent`: false for a connection of its own. */
  #post(body: string, agent: HttpAgent | false): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest
      const headers = { ...this.#headers, 'content-length': Buffer.byteLength(body) }
      const request = send(this.#url, { method: 'POST', agent, headers })
      // One deadline for everything: an answer that trickles is cut as well.
      const deadline = setTimeout(
        () =>
          request.destroy(
            new VerifierUnavailable(`the auth URL gave no answer within ${this.#timeoutMs} ms`),
          ),
        this.#timeoutMs,
      )
      const fail = (error: Error) => {
        clearTimeout(deadline)
        reject(wordFailure(error, request.reusedSocket))
      }
      request.on('error', fail)
      request.on('response', response => {
        response.on('error', fail)
        read(response, answer => {
          clearTimeout(deadline)
          resolve(answer)
        })
      })
      request.end(body)
    })
  }

  #identity(text: string, contentType: string | undefined): Identity {
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      throw new VerifierUnavailable(
        `the auth URL answered 200 with something that is not JSON (Content-Type: ${contentType ?? 'none'})`,
      )
    }
    try {
      return identityFromAnswer(answer, this.#maxChannelBytes)
    } catch (error) {
      if (!(error instanceof NotAnIdentity)) throw error
      throw new VerifierUnavailable(`the auth URL answered JSON of a wrong shape: ${error.message}`)
    }
  }
}

function statusProblem(status: number): string {
  if (status >= 300 && status < 400)
    return `the auth URL answered with a redirect (${status}); it must answer itself`
  return `the auth URL answered ${status}; 200, 401 or 403 was expected`
}

/** Reads an answer to its end. One that is too long destroys the response with the problem. */
function read(response: IncomingMessage, done: (answer: Answer) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) {
      response.destroy(new VerifierUnavailable(`the auth URL answered more than ${maxAnswerBytes} bytes`))
    } else chunks.push(chunk)
  })
  response.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8')
    done({ status: response.statusCode ?? 0, contentType: response.headers['content-type'], text })
  })
}

function wordFailure(error: Error & { code?: string }, isReused: boolean): Error {
  if (error instanceof VerifierUnavailable) return error
  if (isReused && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return new StaleConnection()
  return new VerifierUnavailable(`the auth URL could not be reached: ${error.code ?? error.message}`)
}
