import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyFor, errorHeaders } from '../error-answers.js'
import type { AnswerHeaders } from '../plain-answer.js'
import { type Asking, callerOf } from './handshake.js'
import { openPoll, type PollOptions, type PollReply, pollHeaders } from './long-poll.js'
import { checkOrigin, corsHeaders } from './origin.js'
import type { PlainParts } from './plain-parts.js'
import { visitorOf } from './visitor.js'

/**
 * Polls without the framework, which costs as much as all the rest of an answer. Its route answers the same, and whoever asks in an
 * unusual way gets it from there.
 */
export class PlainPolls {
  readonly #parts: PlainParts<PollOptions>

  constructor(parts: PlainParts<PollOptions>) {
    this.#parts = parts
  }

  /** Takes a request that plainly asks for a poll, and answers it; whether it does. */
  claim(request: IncomingMessage, response: ServerResponse): boolean {
    const { routes, trust } = this.#parts
    const { headers, socket } = request
    const url = request.url ?? ''
    const path = url.includes('?') ? url.slice(0, url.indexOf('?')) : url
    const options = routes.get(path)
    if (options === undefined || request.method !== 'GET' || hasBody(request)) return false
    const visitor = visitorOf(socket.remoteAddress, headers, trust)
    if (visitor === undefined) return false
    void this.#answer({ url, headers, ...visitor }, response, path, options)
    return true
  }

  async #answer(request: Asking, raw: ServerResponse, path: string, options: PollOptions): Promise<void> {
    const cors = corsHeaders(request, options.originRules)
    const reply: PollReply = { raw, send: body => end(raw, 200, { ...cors, ...pollHeaders }, body) }
    try {
      checkOrigin(request, options.originRules)
      await openPoll(request, callerOf(request), reply, options)
    } catch (error) {
      const body = bodyFor(error, this.#parts.log, path)
      const head = { ...cors, ...errorHeaders(body), 'Content-Type': pollHeaders['Content-Type'] }
      end(raw, body.statusCode, head, JSON.stringify(body))
    }
  }
}

/** No client of ours sends one, so what is to be thought of it is left to the framework. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

function end(raw: ServerResponse, statusCode: number, headers: AnswerHeaders, body: string): void {
  if (raw.headersSent || raw.destroyed) return
  raw.writeHead(statusCode, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
}
