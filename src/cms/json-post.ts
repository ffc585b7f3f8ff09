import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** Bytes of an answer that are read at the most: a CMS that answers with a film must not fill the memory. */
const maxAnswerBytes = 1_048_576

/** How many are sent at once is for the caller to limit. */
const agentOptions = { keepAlive: true }

/** What the CMS answered, whatever its status. */
export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly text: string
}

/** There was no answer, or none that could be read. `message` says why and holds no secret. */
export class NoAnswer extends Error {}

/** A kept connection had been closed by the other side; a new one may do. */
class StaleConnection extends Error {}

/** What a URL of the CMS is called with. */
export interface JsonPostOptions {
  readonly url: string
  /** How the URL is called in problems: `auth URL`. */
  readonly name: string
  readonly serviceKey: string
  /** Milliseconds for one call, from its beginning to the end of the answer. */
  readonly timeoutMs: number
}

/**
 * Posts JSON to one URL of the CMS, with the service key as bearer, over kept connections. Redirects are not followed: what is
 * sent is for that URL alone.
 *
 * `node:http`, because `fetch` costs several times the garbage, and everybody who comes is asked about.
 */
export class JsonPost {
  readonly #options: JsonPostOptions
  readonly #url: URL
  readonly #agent: HttpAgent
  readonly #headers: Readonly<Record<string, string>>
  readonly #open = new Set<ClientRequest>()

  constructor(options: JsonPostOptions) {
    this.#options = options
    this.#url = new URL(options.url)
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
    this.#headers = {
      authorization: `Bearer ${options.serviceKey}`,
      'content-type': 'application/json',
      accept: 'application/json',
    }
  }

  /** Posts `value` and resolves to the answer. @throws NoAnswer */
  async send(value: unknown): Promise<Answer> {
    const body = JSON.stringify(value)
    try {
      return await this.#post(body, this.#agent)
    } catch (error) {
      // The CMS may close a kept connection in the moment in which it is used again; the next kept one may be as stale.
      if (error instanceof StaleConnection) return await this.#post(body, false)
      throw error
    }
  }

  /** What is wrong with a status that is none of the `expected` ones, as a sentence. */
  statusProblem(status: number, expected: string): string {
    const { name } = this.#options
    return status >= 300 && status < 400
      ? `the ${name} answered with a redirect (${status}); it must answer itself`
      : `the ${name} answered ${status}; ${expected} was expected`
  }

  /** Cuts what is under way, and closes the kept connections. */
  close(): void {
    for (const request of this.#open) request.destroy(new NoAnswer('cut off'))
    this.#agent.destroy()
  }

  /** `agent`: false for a connection of its own. */
  #post(body: string, agent: HttpAgent | false): Promise<Answer> {
    const { name, timeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest
      const headers = { ...this.#headers, 'content-length': Buffer.byteLength(body) }
      const request = send(this.#url, { method: 'POST', agent, headers })
      // One deadline for everything: an answer that trickles is cut as well.
      const deadline = setTimeout(
        () => request.destroy(new NoAnswer(`the ${name} gave no answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      const settle = () => {
        clearTimeout(deadline)
        this.#open.delete(request)
      }
      const fail = (error: Error) => {
        settle()
        reject(wordFailure(error, name, request.reusedSocket))
      }
      this.#open.add(request)
      request.on('error', fail)
      request.on('response', response => {
        response.on('error', fail)
        read(response, name, answer => {
          settle()
          resolve(answer)
        })
      })
      request.end(body)
    })
  }
}

/** Reads an answer to its end. One that is too long destroys the response with the problem. */
function read(response: IncomingMessage, name: string, done: (answer: Answer) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) {
      response.destroy(new NoAnswer(`the ${name} answered more than ${maxAnswerBytes} bytes`))
    } else chunks.push(chunk)
  })
  response.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8')
    done({ status: response.statusCode ?? 0, contentType: response.headers['content-type'], text })
  })
}

function wordFailure(error: Error & { code?: string }, name: string, isReused: boolean): Error {
  if (error instanceof NoAnswer) return error
  if (isReused && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return new StaleConnection()
  return new NoAnswer(`the ${name} could not be reached: ${error.code ?? error.message}`)
}
