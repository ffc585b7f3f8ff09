import type { Socket } from 'node:net'
import type { Claim } from '../arrivals.js'
import { bodyFor } from '../error-answers.js'
import { answerHead, endWith, endWithError } from '../plain-answer.js'
import { type Asking, callerOf } from './handshake.js'
import { checkOrigin, corsHeaders } from './origin.js'
import type { PlainParts } from './plain-parts.js'
import { pathIn, readHead } from './request-head.js'
import { openStream, type StreamOptions, streamHeaders } from './sse.js'
import { visitorOf } from './visitor.js'

/**
 * Streams without Node's HTTP parser, request and response, and without the framework. Its route answers the same, and whoever asks
 * in an unusual way gets it from there.
 */
export class PlainStreams {
  readonly #parts: PlainParts<StreamOptions>

  constructor(parts: PlainParts<StreamOptions>) {
    this.#parts = parts
  }

  /** Takes a connection whose first bytes ask plainly for a stream: answers it, and reads it from then on. */
  claim(socket: Socket, bytes: Buffer): Claim {
    const { routes, trust } = this.#parts
    const path = pathIn(bytes) ?? ''
    const options = routes.get(path)
    if (options === undefined) return 'http'
    const head = readHead(bytes)
    if (head === undefined) return 'http'
    if (head === 'unfinished') return 'more'
    const { url, headers } = head
    const visitor = visitorOf(socket.remoteAddress, headers, trust)
    if (visitor === undefined) return 'http'
    // A request behind that of a stream is never answered. Without a reader its end would not be noticed, either.
    socket.on('data', cut)
    void this.#answer(socket, { url, headers, ...visitor }, path, options)
    return 'taken'
  }

  async #answer(socket: Socket, request: Asking, path: string, options: StreamOptions): Promise<void> {
    const cors = corsHeaders(request, options.originRules)
    try {
      checkOrigin(request, options.originRules)
      const head = { ...cors, ...streamHeaders }
      const writeHead = () => socket.write(answerHead(200, head))
      const whole = await openStream(request, callerOf(request), { socket, writeHead }, options)
      if (whole !== undefined && socket.writable) endWith(socket, 200, head, whole)
    } catch (error) {
      const body = bodyFor(error, this.#parts.log, path)
      if (socket.writable) endWithError(socket, body, cors)
    }
  }
}

function cut(this: Socket): void {
  this.destroy()
}
