import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { Claim } from '../arrivals.js'
import { errorBody, logFault } from '../error-answers.js'
import { InternalError, isOfTable } from '../errors.js'
import { answerHead, endWith, endWithError } from '../plain-answer.js'
import { type Asking, callerOf } from './handshake.js'
import { checkOrigin, corsHeaders } from './origin.js'
import { pathIn, readHead } from './request-head.js'
import { openStream, type StreamOptions, streamHeaders } from './sse.js'
import { addressOf, hostOf, type Trust } from './visitor.js'

/** What plain streams need. */
export interface PlainStreamsOptions {
  /** The streams that there are, by their paths. */
  readonly streams: ReadonlyMap<string, StreamOptions>
  readonly trust: Trust
  readonly log: FastifyBaseLogger
}

/**
 * Streams without Node's HTTP parser, request and response, and without the framework. Its route answers the same, and whoever asks
 * in an unusual way gets it from there.
 */
export class PlainStreams {
  readonly #streams: ReadonlyMap<string, StreamOptions>
  readonly #trust: Trust
  readonly #log: FastifyBaseLogger

  constructor({ streams, trust, log }: PlainStreamsOptions) {
    this.#streams = streams
    this.#trust = trust
    this.#log = log
  }

  /** Takes a connection whose first bytes ask plainly for a stream: answers it, and reads it from then on. */
  claim(socket: Socket, bytes: Buffer): Claim {
    const path = pathIn(bytes) ?? ''
    const options = this.#streams.get(path)
    if (options === undefined) return 'http'
    const head = readHead(bytes)
    if (head === undefined) return 'http'
    if (head === 'unfinished') return 'more'
    const { url, headers } = head
    const { remoteAddress } = socket
    const ip = addressOf(remoteAddress, headers, this.#trust)
    if (ip === undefined) return 'http'
    const host = hostOf(remoteAddress, headers, this.#trust)
    // A request behind that of a stream is never answered. Without a reader its end would not be noticed, either.
    socket.on('data', cut)
    void this.#answer(socket, { url, headers, ip, host }, path, options)
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
      const known = isOfTable(error) ? error : undefined
      if (known === undefined) logFault(this.#log, error, path)
      if (socket.writable) endWithError(socket, errorBody(known ?? new InternalError()), cors)
    }
  }
}

function cut(this: Socket): void {
  this.destroy()
}
