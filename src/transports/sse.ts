import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { isTransient, Pipelined } from '../errors.js'
import type { Batch } from '../hub/batch.js'
import { closeFor, closeFrame } from '../hub/close-reason.js'
import type { Hub } from '../hub/hub.js'
import type { Sink, Subscriber } from '../hub/subscriber.js'
import { around, randomBetween } from '../jitter.js'
import { ownParsing } from '../own-parsing.js'
import type { AddressCount } from './address-count.js'
import { admit, type HandshakeOptions, type Subscription, shakeHands } from './handshake.js'
import { streamSchema } from './schemas.js'

/** Bytes handed to a socket at once; the rest stays as references that subscribers share. */
const pageBytes = 64 * 1024

/** Bounds of the random time, in ms, after which a plain EventSource comes back when its stream was cut. */
const retryMs = [1_000, 4_000] as const

/** The headers of every stream. `no-transform` and `X-Accel-Buffering` keep proxies from holding it back. */
const streamHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  Vary: 'Origin, Authorization, Cookie',
  Connection: 'close',
} as const

/** The streams by their sockets, so that all sockets share their listeners. */
const streams = new WeakMap<Socket, SseSink>()

/** Whether the socket carries a stream: whatever else arrives on it, nothing but frames may be written to it. */
export function carriesStream(socket: Socket): boolean {
  return streams.has(socket)
}

/**
 * One open stream, written to the socket itself: it is delimited by close, so one byte form serves HTTP/1.0, HTTP/1.1 and TLS,
 * and a frame is encoded once for everybody.
 */
class SseSink implements Sink {
  readonly transport = 'sse'
  readonly pageBytes = pageBytes
  readonly #socket: Socket
  readonly #hub: Hub
  #subscriber: Subscriber | undefined
  isBlocked = false

  constructor(socket: Socket, hub: Hub) {
    this.#socket = socket
    this.#hub = hub
  }

  /** Begins to tell the hub of the socket's drain and end. */
  attach(subscriber: Subscriber): void {
    this.#subscriber = subscriber
    streams.set(this.#socket, this)
    // A stream may be silent for a heartbeat, whatever a server allows its other connections. Ours allows all: setting it again
    // would cost each socket 80 bytes.
    if (this.#socket.timeout !== undefined && this.#socket.timeout > 0) this.#socket.setTimeout(0)
    this.#socket.on('drain', onDrain)
    this.#socket.once('close', onClose)
  }

  get backlogBytes(): number {
    return this.#socket.writableLength
  }

  write(batch: Batch): void {
    this.isBlocked = !this.#socket.write(batch.joined)
  }

  end(): void {
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The socket took what it was handed. */
  drained(): void {
    this.isBlocked = false
    if (this.#subscriber !== undefined) this.#hub.drained(this.#subscriber)
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#subscriber !== undefined) this.#hub.leave(this.#subscriber)
  }
}

function onDrain(this: Socket): void {
  streams.get(this)?.drained()
}

function onClose(this: Socket): void {
  streams.get(this)?.closed()
}

/** What the stream's route needs. */
export interface StreamOptions extends HandshakeOptions {
  readonly hub: Hub
  readonly addresses: AddressCount
  /** Milliseconds after which a stream is closed with `age`, ± 20 %; 0: never. */
  readonly streamAgeMs: number
}

/** `GET /stream`. */
export function registerStream(app: FastifyInstance, options: StreamOptions): void {
  const { hub, addresses } = options
  const route = { schema: streamSchema, ...ownParsing, exposeHeadRoute: false }
  app.get('/stream', route, async (request, reply) => {
    const { ip } = request
    const { socket } = reply.raw
    if (socket === null) throw new Pipelined()
    if (!addresses.take(ip)) return sendBusy(reply, hub)
    let isOpen = false
    try {
      const subscription = await shakeHands(request, options)
      if (socket.destroyed) return reply.hijack()
      admit(subscription, options)
      isOpen = true
      releaseOnClose(socket, addresses, ip)
      open(reply, socket, subscription, options)
      return reply
    } catch (error) {
      if (isTransient(error)) return sendBusy(reply, hub)
      throw error
    } finally {
      if (!isOpen) addresses.release(ip)
    }
  })
}

/** Apart from the route, so that what is remembered with the listener is no more than this. */
function releaseOnClose(socket: Socket, addresses: AddressCount, ip: string): void {
  if (addresses.isLimited) socket.once('close', () => addresses.release(ip))
}

function open(reply: FastifyReply, socket: Socket, subscription: Subscription, options: StreamOptions): void {
  const { hub } = options
  const { session, since, isInitial } = subscription
  const sink = new SseSink(socket, hub)
  const subscriber = session.subscriber(sink, 'age')
  reply.hijack()
  sink.attach(subscriber)
  // The head and the first frames leave in one packet.
  socket.cork()
  writeHead(reply, socket)
  hub.join(subscriber, {
    since,
    ready: session.ready().json,
    isInitial,
    lifeMs: options.streamAgeMs === 0 ? undefined : around(options.streamAgeMs),
    recheckMs: session.dueInMs,
    heardMs: session.principal.askedMs,
  })
  socket.uncork()
}

/** Writes the head. From here on the socket is ours and the response object is never written to again. */
function writeHead(reply: FastifyReply, socket: Socket): void {
  const { raw } = reply
  // A hijacked reply loses what plugins have set (CORS), unless it is copied.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value)
  for (const [name, value] of Object.entries(streamHeaders)) raw.setHeader(name, value)
  raw.removeHeader('Transfer-Encoding')
  raw.writeHead(200)
  raw.flushHeaders()
  socket.write(`retry: ${randomBetween(retryMs)}\n\n`)
  // The framework waits for an end that never comes, and would keep its request and reply as long as the stream.
  raw.removeAllListeners('finish').removeAllListeners('error').on('error', ignore)
}

/** Nothing is written to the response any more, so nothing can go wrong with it; the socket tells its own end. */
function ignore(): void {}

/**
 * A transient refusal: 200, `close`, end. Any other status would make a plain EventSource give up for good.
 *
 * Source: WHATWG HTML, EventSource: "if res's status is not 200 … fail the connection".
 */
function sendBusy(reply: FastifyReply, hub: Hub): FastifyReply {
  const { bytes } = closeFrame(closeFor('busy', hub.spreadMs))
  return reply.headers(streamHeaders).code(200).send(bytes)
}
