import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How often, in ms, connections are looked at on which nothing has come. */
const checkEachMs = 1_000

/** What arrivals need. */
export interface ArrivalsOptions {
  /** Offers a connection by the first bytes that came on it. True: it is taken, and read by the taker from then on. */
  readonly take: (socket: Socket, bytes: Buffer) => boolean
  /** Milliseconds within which something must come. */
  readonly timeoutMs: number
  /** Nothing came in time. */
  readonly refuse: (socket: Socket) => void
}

/**
 * The connections of a server, from their beginning until their first bytes say whose they are: HTTP's, with the bytes put back, or
 * a taker's, which then has them to itself.
 *
 * Why: Node 24 keeps 6.4 KB for the HTTP parser of a connection for as long as that lasts, and what http keeps beside is as much again.
 * So a stream that http has never seen costs a third. It hangs on http taking its connections by an event, which may be emitted by
 * anybody, as its documentation says; everything else of http is as it was.
 */
export class Arrivals {
  /** Those on which nothing came, and since when. */
  readonly #silent = new Map<Socket, number>()
  readonly #taken = new Set<Socket>()
  readonly #options: ArrivalsOptions

  constructor(server: Server, options: ArrivalsOptions) {
    this.#options = options
    const toHttp = server.listeners('connection')
    server.removeAllListeners('connection')
    const begin = (socket: Socket, bytes: Buffer) => {
      // What comes too late was answered.
      if (!this.#silent.delete(socket)) return
      socket.off('data', onFirst)
      if (options.take(socket, bytes)) {
        this.#taken.add(socket)
        return
      }
      socket.off('error', ignore).off('end', onEnd).off('close', onClose)
      socket.unshift(bytes)
      for (const listener of toHttp) Reflect.apply(listener, server, [socket])
    }
    function onFirst(this: Socket, bytes: Buffer): void {
      begin(this, bytes)
    }
    const forget = (socket: Socket) => {
      this.#silent.delete(socket)
      this.#taken.delete(socket)
    }
    function onClose(this: Socket): void {
      forget(this)
    }
    server.on('connection', (socket: Socket) => {
      this.#silent.set(socket, performance.now())
      socket.on('data', onFirst).on('end', onEnd).on('error', ignore).on('close', onClose)
    })
    server.once('listening', () => {
      const check = setInterval(() => this.#refuseLate(), checkEachMs).unref()
      server.once('close', () => clearInterval(check))
    })
  }

  /** Ends the connections on which nothing has come. Browsers open some in advance. */
  endSilent(): void {
    for (const socket of this.#silent.keys()) if (socket.bytesRead === 0) socket.destroy()
  }

  /** Ends the connections that were taken. */
  cut(): void {
    for (const socket of this.#taken) socket.destroy()
  }

  #refuseLate(): void {
    const lateMs = performance.now() - this.#options.timeoutMs
    for (const [socket, sinceMs] of this.#silent) {
      if (sinceMs > lateMs) return
      this.#silent.delete(socket)
      this.#options.refuse(socket)
    }
  }
}

/** As http does: who ends, is ended, with what is on the way. */
function onEnd(this: Socket): void {
  this.destroySoon()
}

/** A connection that is cut is nobody's fault, and its `close` follows. Without a listener it would end the process. */
function ignore(): void {}
