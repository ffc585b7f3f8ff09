import { stat, unlink } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { FastifyError } from 'fastify'
import { Arrivals, type ArrivalsOptions, type Fault } from './arrivals.js'
import type { Address, Config } from './config.js'
import { errorBody } from './error-answers.js'
import { InvalidRequest, RequestTimeout, TooLarge } from './errors.js'
import { endWithError } from './plain-answer.js'
import { carriesStream } from './transports/sse.js'

/** How often, in ms, connections are looked at that have not sent their whole request. */
const checkEachMs = 1_000

/** How long, in ms, an idle connection is kept for its next request: longer than proxies keep theirs. */
const keepAliveMs = 75_000

/** Connections that the process may still take, on all its listeners together. */
export interface Places {
  free: number
}

/** What answers on a listener. */
export interface Answerers {
  readonly http: RequestListener
  /** Takes connections before they become HTTP's. */
  readonly claim: ArrivalsOptions['claim']
}

/** A server for one address. */
export interface Listener {
  /** It need not listen yet. */
  readonly server: Server
  /** Ends the connections on which nothing is under way. */
  endIdle(): void
  /** Ends all connections. */
  cut(): void
}

/** A listener for one address. A connection for which there is no place is cut. */
export function createListener(config: Config, { http, claim }: Answerers, places: Places): Listener {
  function leave(this: Socket): void {
    places.free += 1
  }
  const server = createServer(
    {
      requestTimeout: config.requestTimeoutMs,
      headersTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: checkEachMs,
      keepAliveTimeout: keepAliveMs,
      keepAlive: config.tcpKeepAliveMs > 0,
      keepAliveInitialDelay: config.tcpKeepAliveMs,
      noDelay: true,
    },
    (request, response) => {
      // Whoever sends a second request behind that of a stream gets nothing written into the stream.
      if (carriesStream(request.socket)) request.socket.destroy()
      else http(request, response)
    },
  )
  const arrivals = new Arrivals(server, { claim, timeoutMs: config.requestTimeoutMs, refuse })
  server.on('connection', (socket: Socket) => {
    places.free -= 1
    // By `on`: `once` would cost each connection more, and it comes once.
    socket.on('close', leave)
    if (places.free < 0) socket.destroy()
  })
  server.on('clientError', refuse)
  return {
    server,
    endIdle: () => {
      server.closeIdleConnections()
      arrivals.endSilent()
    },
    cut: () => {
      server.closeAllConnections()
      arrivals.cut()
    },
  }
}

/**
 * Listens on the address and resolves to it as a URL (or `unix:/path`). The file of a Unix socket that a killed process left
 * behind is taken over: otherwise nothing could start there again.
 *
 * @throws what the system says, with the address.
 */
export async function listen(server: Server, address: Address): Promise<string> {
  try {
    await bind(server, address)
  } catch (error) {
    if (!('path' in address) || !(await isLeftBehind(address.path))) throw error
    await unlink(address.path)
    await bind(server, address)
  }
  return urlOf(server)
}

function bind(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(
      'path' in address ? { path: address.path } : { host: address.host, port: address.port },
      () => {
        server.off('error', reject)
        resolve()
      },
    )
  })
}

/** Whether the path is that of a Unix socket on which nobody listens. Any other file refuses a connection as well. */
async function isLeftBehind(path: string): Promise<boolean> {
  const file = await stat(path).catch(() => undefined)
  if (file === undefined || !file.isSocket()) return false
  return await new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: Error & { code?: string }) => resolve(error.code === 'ECONNREFUSED'))
  })
}

function urlOf(server: Server): string {
  const bound = server.address()
  if (bound === null) return ''
  if (typeof bound === 'string') return `unix:${bound}`
  const isAny = bound.address === '::' || bound.address === '0.0.0.0'
  const host = isAny ? 'localhost' : bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return `http://${host}:${bound.port}`
}

/** A request that is not HTTP, too long, or too late. The connection ends with the clear error, unless it is a stream. */
function refuse({ code }: Fault, socket: Socket): void {
  if (carriesStream(socket) || !socket.writable || code === 'ECONNRESET') socket.destroy()
  else endWithError(socket, errorBody(refusal(code)))
}

function refusal(code: string | undefined): FastifyError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimeout()
  if (code === 'HPE_HEADER_OVERFLOW') return new TooLarge('the head of the request is over 16384 bytes')
  return new InvalidRequest('the request is not HTTP')
}
