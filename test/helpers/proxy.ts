import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/**
 * What a proxy does with the answers that come through it:
 *
 * - `pass`: hands them on
 * - `mute`: takes them, and hands nothing on. The connection stays; what it has swallowed is lost, so it stays mute for good
 * - `refuse`: answers new requests itself, with 502 and a page of its own. Those under way pass
 * - `buffer`: holds each answer until so many bytes of it are there, or its end. Infinity: until its end
 * - `delayMs`: hands everything on so much later, in order
 * - `cutAfter`: cuts the connection after so many more bytes, be it in the middle of a head, a frame or a character. 0: at once
 */
export type ProxyMode =
  | 'pass'
  | 'mute'
  | 'refuse'
  | { readonly buffer: number }
  | { readonly delayMs: number }
  | { readonly cutAfter: number }

/** How a mode is chosen for a request: always the same, or drawn for each one. */
export type ProxyConduct = ProxyMode | (() => ProxyMode)

/** A request that came through a proxy. */
export interface ProxiedRequest {
  readonly method: string
  /** The address without its query. */
  readonly path: string
  readonly query: URLSearchParams
}

/** A proxy in front of a server, whose conduct tests change. */
export interface TestProxy {
  readonly url: string
  /** All requests so far, in order. */
  readonly requests: readonly ProxiedRequest[]
  /** How often it has cut. */
  readonly cuts: number
  /** The connections that are open now, of requests whose path matches. */
  open(path?: RegExp): number
  /**
   * From now on it does this, with new requests and with those under way (what it held of these goes first).
   *
   * @param path only with those whose path matches, such as `/stream$/`; what was set before goes on for all others. Without it, what
   * was set before counts no more
   */
  set(conduct: ProxyConduct, path?: RegExp): void
  /** Cuts what is open now, and nothing that comes later. */
  cut(path?: RegExp): void
  /** Sends new requests to another server, such as the one that was started in place of the first. */
  retarget(target: string): void
  close(): Promise<void>
}

const badGateway = [
  'HTTP/1.1 502 Bad Gateway',
  'Content-Type: text/html',
  'Content-Length: 20',
  'Connection: close',
  '',
  '<h1>Bad Gateway</h1>',
].join('\r\n')

/** One request with its answer, on a connection of its own. */
class Exchange {
  readonly path: string
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #edit: (chunk: Buffer) => Buffer
  readonly #onCut: () => void
  #mode: ProxyMode = 'pass'
  #held: Buffer[] = []
  #timers: NodeJS.Timeout[] = []
  #left = Number.POSITIVE_INFINITY
  #isMute = false
  #hasEnded = false

  /** @param edit changes what the server says */
  constructor(
    path: string,
    client: Socket,
    upstream: Socket,
    edit: (chunk: Buffer) => Buffer,
    onCut: () => void,
  ) {
    this.path = path
    this.#client = client
    this.#upstream = upstream
    this.#edit = edit
    this.#onCut = onCut
    upstream.on('data', chunk => this.#take(chunk))
    upstream.on('end', () => this.#end())
    // Refused, reset: the browser sees a cut.
    upstream.on('error', () => client.destroy())
    client.on('close', () => {
      this.#clearTimers()
      upstream.destroy()
    })
  }

  set mode(mode: ProxyMode) {
    this.#clearTimers()
    this.#release()
    this.#mode = mode
    this.#isMute ||= mode === 'mute'
    this.#left = typeof mode === 'object' && 'cutAfter' in mode ? mode.cutAfter : Number.POSITIVE_INFINITY
    if (this.#left === 0) this.cut()
  }

  cut(): void {
    if (this.#client.destroyed) return
    this.#onCut()
    // Not destroyed at once: what was handed on arrives.
    this.#client.end(() => this.#client.destroy())
    this.#upstream.destroy()
  }

  #take(chunk: Buffer): void {
    if (this.#isMute || this.#client.writableEnded) return
    this.#held.push(this.#edit(chunk))
    const mode = this.#mode
    if (typeof mode === 'object' && 'delayMs' in mode) {
      const release = () => {
        this.#timers.shift()
        this.#releaseOne()
      }
      this.#timers.push(setTimeout(release, mode.delayMs))
    } else if (typeof mode !== 'object' || !('buffer' in mode) || this.#heldBytes >= mode.buffer) {
      this.#release()
    }
  }

  get #heldBytes(): number {
    return this.#held.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  #release(): void {
    while (this.#held.length > 0) this.#releaseOne()
  }

  #releaseOne(): void {
    const chunk = this.#held.shift()
    if (chunk !== undefined && !this.#client.writableEnded) {
      this.#client.write(chunk.subarray(0, this.#left))
      this.#left -= chunk.length
      if (this.#left <= 0) this.cut()
    }
    if (this.#hasEnded && this.#held.length === 0) this.#client.end()
  }

  #end(): void {
    if (this.#isMute) return
    this.#hasEnded = true
    if (this.#timers.length === 0) this.#release()
    if (this.#held.length === 0) this.#client.end()
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }
}

/**
 * Starts a proxy on a free port; it ends with the test. Each connection takes one request, as with HTTP/1.0, so that every request is
 * handled by itself and no browser repeats one of its own accord because a connection that it had kept was cut.
 *
 * @param retryMs where streams are told to come back after 1000 to 9999 ms, they are told this (up to 9999) instead, for tests' sake.
 * Default: as the server says
 */
export async function startProxy(
  t: Pick<Test, 'teardown'>,
  target: string,
  retryMs?: number,
): Promise<TestProxy> {
  const requests: ProxiedRequest[] = []
  const exchanges = new Set<Exchange>()
  const sockets = new Set<Socket>()
  let rules: { readonly path: RegExp; readonly conduct: ProxyConduct }[] = []
  let upstreamUrl = new URL(target)
  let cuts = 0

  const modeFor = (path: string): ProxyMode => {
    const conduct = rules.find(rule => rule.path.test(path))?.conduct ?? 'pass'
    return typeof conduct === 'function' ? conduct() : conduct
  }
  const keep = (socket: Socket) => {
    sockets.add(socket)
    // The other side learns of it by the close.
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  }
  const edit = (chunk: Buffer) => {
    if (retryMs === undefined) return chunk
    // As long as it was, and in a character set that keeps all bytes.
    const retry = `retry: ${String(retryMs).padStart(4, '0')}`
    return Buffer.from(chunk.toString('latin1').replace(/^retry: \d{4}$/m, retry), 'latin1')
  }
  const exchange = (client: Socket, head: string, body: Buffer) => {
    const [method = '', address = ''] = head.split(' ')
    const { pathname, searchParams } = new URL(address, upstreamUrl)
    requests.push({ method, path: pathname, query: searchParams })
    const mode = modeFor(pathname)
    if (mode === 'refuse') {
      client.end(badGateway)
      return
    }
    const upstream = connect({ host: upstreamUrl.hostname, port: Number(upstreamUrl.port) })
    keep(upstream)
    const mine = new Exchange(pathname, client, upstream, edit, () => cuts++)
    exchanges.add(mine)
    client.once('close', () => exchanges.delete(mine))
    mine.mode = mode
    if (upstream.destroyed) return
    upstream.write(`${head.replace(/\r\nconnection:[^\r]*/i, '')}\r\nConnection: close\r\n\r\n`)
    upstream.write(body)
    client.on('data', chunk => upstream.write(chunk))
  }

  const server = createServer(client => {
    keep(client)
    let received = Buffer.alloc(0)
    const read = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      client.off('data', read)
      exchange(client, received.toString('latin1', 0, end), received.subarray(end + 4))
    }
    client.on('data', read)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  t.teardown(close)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  const matching = (path: RegExp) => [...exchanges].filter(exchange => path.test(exchange.path))

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    get cuts() {
      return cuts
    },
    open: (path = /^/) => matching(path).length,
    set: (conduct, path) => {
      const others = rules.filter(rule => rule.path.source !== path?.source)
      rules = path === undefined ? [{ path: /^/, conduct }] : [{ path, conduct }, ...others]
      for (const exchange of matching(path ?? /^/)) exchange.mode = modeFor(exchange.path)
    },
    cut: (path = /^/) => {
      for (const exchange of matching(path)) exchange.cut()
    },
    retarget: next => {
      upstreamUrl = new URL(next)
    },
    close,
  }
}
