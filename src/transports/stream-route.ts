import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../auth/identity.js'
import { Pipelined } from '../errors.js'
import { ownParsing } from '../own-parsing.js'
import { callerOf } from './handshake.js'
import { streamSchema } from './schemas.js'
import { openStream, type StreamOptions, streamHeaders } from './sse.js'

/** What the stream's route needs. */
export interface StreamRouteOptions extends StreamOptions {
  /** Who asks; undefined: the request's address and browser say it. */
  readonly callerOf?: ((request: FastifyRequest) => Caller) | undefined
}

/** `GET /stream`, as the framework gives it. */
export function registerStream(app: FastifyInstance, options: StreamRouteOptions): void {
  const route = { schema: streamSchema, ...ownParsing, exposeHeadRoute: false }
  app.get('/stream', route, async (request, reply) => {
    const { socket } = reply.raw
    if (socket === null) throw new Pipelined()
    const connection = { socket, writeHead: () => writeHead(reply) }
    const caller = (options.callerOf ?? callerOf)(request)
    const whole = await openStream(request, caller, connection, options)
    return whole === undefined ? reply.hijack() : reply.headers(streamHeaders).code(200).send(whole)
  })
}

/** Writes the head. From here on the response object is never written to again. */
function writeHead(reply: FastifyReply): void {
  const { raw } = reply
  reply.hijack()
  // A hijacked reply loses what plugins have set (CORS), unless it is copied.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value)
  for (const [name, value] of Object.entries(streamHeaders)) raw.setHeader(name, value)
  raw.removeHeader('Transfer-Encoding')
  raw.writeHead(200)
  raw.flushHeaders()
  // The framework waits for an end that never comes, and would keep its request and reply as long as the stream.
  raw.removeAllListeners('finish').removeAllListeners('error').on('error', ignore)
}

/** Nothing is written to the response any more, so nothing can go wrong with it; the socket tells its own end. */
function ignore(): void {}
