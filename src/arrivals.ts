import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How often, in ms, connections are looked at on which nothing has come. */
const checkEachMs = 1_000

/** Pieces in which a head may come before it is HTTP's to wait for the rest. A long one needs some packets. */
const mostPieces = 8

/** Whose a connection is: HTTP's, or of him who was asked; or that the bytes so far do not tell. */
export type Claim = 'http' | 'taken' | 'more'

/** What is wrong with a connection, as Node names it. */
export interface Fault {
  readonly code?: string
}

/** What arrivals need. */
export interface ArrivalsOptions {
  /** Asks somebody by the first bytes of a connection. Who takes it answers, and reads it from then on. */
  readonly claim: (socket: Socket, bytes: Buffer) => Claim
  /** Milliseconds within which it must be known whose a connection is. */
  readonly timeoutMs: number
  /** Answers a connection that is nobody's in time, or ends before. */
  readonly refuse: (fault: Fault, socket: Socket) => void
}

/** A connection that is nobody's yet. */
interface Arrival {
  readonly sinceMs: number
  bytes: Buffer | undefined
  pieces: number
}

/**
 * The connections of a server, from their beginning until their first bytes say whose they are: HTTP's, with the bytes put back, or
 * somebody's who then has them to himself.
 *
 * Why: an idle stream that http has seen holds 9 KB of V8's heap and the HTTP parser, of 6.4 KB on Node 24 and 2.0 on 20, for as long as
 * it lasts; one that it has not seen holds 3.4 KB (`npm run bench -- connections`; bench/README.md has the figures). It hangs on
 * http taking its connections by an event, which anybody may emit, as its documentation says. All else of http is as it was.
 */
export class Arrivals {
  /** Those that are nobody's yet, the oldest first. */
  readonly #waiting = new Map<Socket, Arrival>()
  readonly #taken = new Set<Socket>()
  readonly #options: ArrivalsOptions
  readonly #server: Server
  /** What makes a connection one of HTTP. */
  readonly #http: ReturnType<Server['listeners']>
  readonly #onData = shared((socket, piece: Buffer) => this.#read(socket, piece))
  readonly #onEnd = shared(socket => this.#end(socket))
  readonly #onClose = shared(socket => this.#forget(socket))

  constructor(server: Server, options: ArrivalsOptions) {
    this.#options = options
    this.#server = server
    this.#http = server.listeners('connection')
    // A Node that would take its connections in another way keeps them all.
    if (this.#http.length === 0) return
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => this.#begin(socket))
    server.once('listening', () => {
      const check = setInterval(() => this.#refuseLate(), checkEachMs).unref()
      server.once('close', () => clearInterval(check))
    })
  }

  /** Ends the connections on which nothing has come. Browsers open some in advance. */
  endSilent(): void {
    for (const socket of this.#waiting.keys()) if (socket.bytesRead === 0) socket.destroy()
  }

  /** Ends the connections that are not HTTP's. */
  cut(): void {
    for (const socket of this.#waiting.keys()) socket.destroy()
    for (const socket of this.#taken) socket.destroy()
  }

  #begin(socket: Socket): void {
    this.#waiting.set(socket, { sinceMs: performance.now(), bytes: undefined, pieces: 0 })
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', ignore).on('close', this.#onClose)
  }

  #read(socket: Socket, piece: Buffer): void {
    const arrival = this.#waiting.get(socket)
    // What comes too late was answered.
    if (arrival === undefined) return
    const bytes = arrival.bytes === undefined ? piece : Buffer.concat([arrival.bytes, piece])
    const claim = this.#options.claim(socket, bytes)
    arrival.pieces += 1
    if (claim === 'more' && arrival.pieces < mostPieces) {
      arrival.bytes = bytes
      return
    }
    this.#waiting.delete(socket)
    socket.off('data', this.#onData)
    if (claim === 'taken') this.#taken.add(socket)
    else this.#handOver(socket, bytes)
  }

  #handOver(socket: Socket, bytes: Buffer): void {
    socket.off('end', this.#onEnd).off('error', ignore).off('close', this.#onClose)
    socket.unshift(bytes)
    for (const listener of this.#http) Reflect.apply(listener, this.#server, [socket])
  }

  /** As http does: who ends is ended, with what is on the way. */
  #end(socket: Socket): void {
    if (this.#waiting.get(socket)?.bytes === undefined) socket.destroySoon()
    else this.#options.refuse({ code: 'HPE_INVALID_EOF_STATE' }, socket)
  }

  #forget(socket: Socket): void {
    this.#waiting.delete(socket)
    this.#taken.delete(socket)
  }

  #refuseLate(): void {
    const lateMs = performance.now() - this.#options.timeoutMs
    for (const [socket, { sinceMs }] of this.#waiting) {
      if (sinceMs > lateMs) return
      this.#waiting.delete(socket)
      this.#options.refuse({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, socket)
    }
  }
}

/** A listener that all sockets share, since one for each would cost each some memory. */
function shared<Rest extends unknown[]>(
  handle: (socket: Socket, ...rest: Rest) => void,
): (this: Socket, ...rest: Rest) => void {
  return function (...rest) {
    handle(this, ...rest)
  }
}

/** A connection that is cut is nobody's fault, and its `close` follows. Without a listener it would end the process. */
function ignore(): void {}
