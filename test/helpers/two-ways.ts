import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { until } from './calls.js'
import { RawConnection } from './raw-connection.js'
import { openServer, type TestServer } from './server.js'

/** What came back, with everything out of it that is random or the time of day. */
export interface PlainAnswer {
  readonly status: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How a head is sent: in one packet or in two, plain so that a stream needs no HTTP for it, or with something that is for HTTP. */
export type Way = 'whole' | 'split' | 'http'

/** Watches the connections of the servers of this process, and which of them HTTP has read a request from. */
export class ServerSide {
  readonly #sockets = new Map<number | undefined, Socket>()
  readonly #http = new Set<number | undefined>()
  /** The clients' ports: a socket that is closed does not know its own. */
  readonly #ports = new WeakMap<RawConnection, number | undefined>()

  constructor(t: Test) {
    const onSocket = (message: unknown) => {
      const { socket } = message as { socket: Socket }
      this.#sockets.set(socket.remotePort, socket)
    }
    const onRequest = (message: unknown) => {
      const { socket } = message as { socket: Socket }
      this.#http.add(socket.remotePort)
    }
    subscribe('net.server.socket', onSocket)
    subscribe('http.server.request.start', onRequest)
    t.teardown(() => {
      unsubscribe('net.server.socket', onSocket)
      unsubscribe('http.server.request.start', onRequest)
    })
  }

  /** The server's end of a connection. */
  async socketOf(client: RawConnection): Promise<Socket> {
    const port = await this.#portOf(client)
    await until('the connection', () => this.#sockets.has(port))
    const socket = this.#sockets.get(port)
    if (socket === undefined) throw new Error('there is no such connection')
    return socket
  }

  /** Waits until the server has read so many bytes of the connection. */
  async hasRead(client: RawConnection, bytes: number): Promise<void> {
    const socket = await this.socketOf(client)
    await until(`${bytes} bytes read`, () => socket.bytesRead >= bytes || socket.destroyed)
  }

  /** Whether a request on the connection was read by HTTP. */
  isHttp(client: RawConnection): boolean {
    return this.#http.has(this.#ports.get(client))
  }

  /** Sends a head; what is split is read in two pieces, the first of them `at` bytes long. */
  async send(client: RawConnection, head: string, way: Way, at = head.length >> 1): Promise<void> {
    await this.#portOf(client)
    if (way !== 'split') {
      client.write(way === 'http' ? head.replace(/\r\n$/, 'Content-Length: 0\r\n\r\n') : head)
      return
    }
    client.write(head.slice(0, at))
    await this.hasRead(client, at)
    client.write(head.slice(at))
  }

  async #portOf(client: RawConnection): Promise<number | undefined> {
    await client.opened
    if (!this.#ports.has(client)) this.#ports.set(client, client.socket.localPort)
    return this.#ports.get(client)
  }

  /** Sends a head and resolves to the answer: of an open stream, to what there is up to `ready`. */
  async answer(t: Test, url: string, head: string, way: Way): Promise<PlainAnswer> {
    const client = new RawConnection(url)
    try {
      await this.send(client, head, way)
      const answer = await wholeAnswer(client)
      t.equal(this.isHttp(client), way === 'http', `${way}: ${head.slice(0, 100)}`)
      return answer
    } finally {
      client.destroy()
    }
  }
}

/** A server with channels for anybody, and a visitor with the token `five`. It ends with the test. */
export async function openForVisitors(t: Test, more: Partial<Config> = {}): Promise<TestServer> {
  const server = await openServer(t, { anonymousChannels: ['front', 'open_*'], ...more })
  server.cms.identities.set('five', { uid: '5', channels: ['a', 'Grüße'], info: { name: 'Fünf' } })
  return server
}

/** Waits for the answer to what was sent: of an open stream, for what there is up to `ready`. */
export async function wholeAnswer(client: RawConnection): Promise<PlainAnswer> {
  await until('the answer', () => isWhole(client.received) || client.socket.destroyed)
  return parse(client.received)
}

/** The head of a GET. */
export function headOf(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: downpipe.test', ...headers, '', ''].join('\r\n')
}

function isWhole(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const length = /^content-length: (\d+)\r$/im.exec(received.slice(0, headEnd + 2))?.[1]
  const body = received.slice(headEnd + 4)
  if (length !== undefined) return Buffer.byteLength(body) >= Number(length)
  return /^event: ready\n(.+\n)*\n/m.test(body)
}

function parse(received: string): PlainAnswer {
  const headEnd = received.indexOf('\r\n\r\n')
  const [status = '', ...lines] = received.slice(0, headEnd).split('\r\n')
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const { date, ...rest } = Object.fromEntries(headers)
  if (new Set(headers.map(([name]) => name)).size < headers.length) throw new Error(`twice in ${received}`)
  if (date === undefined || Number.isNaN(Date.parse(date))) throw new Error(`no date in ${received}`)
  const retryAfter = rest['retry-after'] === undefined ? {} : { 'retry-after': 'soon' }
  return {
    status,
    headers: { ...rest, ...retryAfter },
    body: received.slice(headEnd + 4).replace(/((?:^retry: |"retryMs":|"retryAfter":))\d+/gm, '$1…'),
  }
}
