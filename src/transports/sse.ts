import type { Socket } from 'node:net'
import type { Caller } from '../auth/identity.js'
import { isTransient } from '../errors.js'
import type { Batch } from '../hub/batch.js'
import { closeFor, closeFrame } from '../hub/close-reason.js'
import type { Hub } from '../hub/hub.js'
import type { Sink, Subscriber } from '../hub/subscriber.js'
import { around, randomBetween } from '../jitter.js'
import type { AddressCount } from './address-count.js'
import { type Asking, admit, type HandshakeOptions, type Subscription, shakeHands } from './handshake.js'

/** Bytes handed to a socket at once; the rest stays as references that subscribers share. */
const pageBytes = 64 * 1024

/** Bounds of the random time, in ms, after which a plain EventSource comes back when its stream was cut. */
const retryMs = [1_000, 4_000] as const

/** The headers of every stream. `no-transform` and `X-Accel-Buffering` keep proxies from holding it back. */
export const streamHeaders = {
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
    this.#socket.on('close', onClose)
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

/** What streams need beside the handshake. */
export interface StreamOptions extends HandshakeOptions {
  readonly hub: Hub
  readonly addresses: AddressCount
  /** Milliseconds after which a stream is closed with `age`, ± 20 %; 0: never. */
  readonly streamAgeMs: number
}

/** A connection on which a stream was asked for, by whatever way. */
export interface StreamConnection {
  readonly socket: Socket
  /** Writes the head of the answer. From then on the socket is the stream's, and nobody else may write to it. */
  writeHead(): void
}

/**
 * From a request to an open stream. Resolves to undefined when it is open, or the client has left; where the refusal is transient,
 * to what is to be answered with status 200 and an end. Any other status would make a plain EventSource give up for good.
 *
 * Source: WHATWG HTML, EventSource: "if res's status is not 200 … fail the connection".
 * @throws the refusals that are for good.
 */
export async function openStream(
  request: Asking,
  caller: Caller,
  connection: StreamConnection,
  options: StreamOptions,
): Promise<Buffer | undefined> {
  const { hub, addresses } = options
  const { ip } = request
  const { socket } = connection
  if (!addresses.take(ip)) return busy(hub)
  let isOpen = false
  try {
    const subscription = await shakeHands(request, caller, options)
    if (!socket.writable) return undefined
    admit(subscription, options)
    isOpen = true
    releaseOnClose(socket, addresses, ip)
    open(connection, subscription, options)
    return undefined
  } catch (error) {
    // Whatever went wrong, nothing is answered into a stream.
    if (carriesStream(socket)) socket.destroy()
    if (isTransient(error)) return busy(hub)
    throw error
  } finally {
    if (!isOpen) addresses.release(ip)
  }
}

/** Apart, so that what is remembered with the listener is no more than this. */
function releaseOnClose(socket: Socket, addresses: AddressCount, ip: string): void {
  if (addresses.isLimited) socket.once('close', () => addresses.release(ip))
}

function open(connection: StreamConnection, subscription: Subscription, options: StreamOptions): void {
  const { hub } = options
  const { socket } = connection
  const { session, since, isInitial } = subscription
  const sink = new SseSink(socket, hub)
  const subscriber = session.subscriber(sink, 'age')
  sink.attach(subscriber)
  // The head and the first frames leave in one packet.
  socket.cork()
  connection.writeHead()
  socket.write(`retry: ${randomBetween(retryMs)}\n\n`)
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

function busy(hub: Hub): Buffer {
  return closeFrame(closeFor('busy', hub.spreadMs)).bytes
}
