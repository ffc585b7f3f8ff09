import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { Queue } from './queue.js'

/** A request that a test answers. */
export class Call {
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Resolves when the browser or the test has ended it. */
  readonly ended: Promise<unknown>
  readonly #response: ServerResponse

  constructor(url: URL, headers: IncomingHttpHeaders, response: ServerResponse) {
    this.query = url.searchParams
    this.headers = headers
    this.#response = response
    this.ended = new Promise(resolve => response.once('close', resolve))
  }

  /** Answers with JSON: a poll, or a refusal. */
  answer(body: object, status = 200): void {
    this.answerWith(JSON.stringify(body), 'application/json', status)
  }

  /** Answers with whatever, as a proxy may. */
  answerWith(body: string, type: string, status: number): void {
    this.#response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
  }

  /** Sends the client elsewhere, as a proxy may. */
  redirect(location: string): void {
    this.#response.writeHead(302, { location }).end()
  }

  /** Refuses as the server does. */
  refuse(status: number, code: string, message: string, more: object = {}): void {
    this.answer({ statusCode: status, code, error: 'Refused', message, ...more }, status)
  }

  /** Sends bytes of a stream as they are. */
  raw(bytes: string | Uint8Array): void {
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
      })
    }
    this.#response.write(bytes)
  }

  /** Sends a frame of a stream. `event` is empty for messages. */
  frame(event: string, data: unknown, id = ''): void {
    if (!this.#response.headersSent) this.raw('retry: 20\n\n')
    const lines = [
      event && `event: ${event}`,
      id && `id: ${id}`,
      `data: ${data === '' ? '' : JSON.stringify(data)}`,
    ]
    this.#response.write(`${lines.filter(Boolean).join('\n')}\n\n`)
  }

  /** Sends the frame that makes a subscription stand. */
  ready(id: string, channels: readonly string[], more: object = {}): void {
    this.frame(
      'ready',
      { uid: '5', channels, heartbeat: 25, v: 'v1', presence: [], refused: [], ...more },
      id,
    )
  }

  /** Sends a message. */
  message(id: string, message: object): void {
    this.frame('', message, id)
  }

  /** Ends the stream without a word. */
  cut(): void {
    this.#response.destroy()
  }
}

/** Serves an empty page, the browser scripts (in any folder), and the streams and polls that a test answers as it likes. */
export interface FakeServer {
  readonly url: string
  /** Requests of `/v1/stream` in their order, under any prefix. */
  readonly streams: Queue<Call>
  /** Requests of `/v1/poll` in their order. */
  readonly polls: Queue<Call>
  /** The paths of all streams and polls so far. */
  readonly paths: readonly string[]
  /** What the page says by a request of `/say?…`, for pages that cannot say it otherwise. */
  readonly said: Queue<string>
  close(): void
}

const EMPTY = '<!doctype html><title>Empty</title><script src="/downpipe.js"></script>'

/**
 * Starts a fake server on a free port.
 *
 * @param scripts the folder with the built browser script
 * @param more HTML by path, besides the empty page; JavaScript where the path ends with `.js`
 */
export async function startFakeServer(scripts: string, more: Record<string, string>): Promise<FakeServer> {
  const pages = new Map(Object.entries({ '/': EMPTY, ...more }))
  const streams = new Queue<Call>()
  const polls = new Queue<Call>()
  const said = new Queue<string>()
  const paths: string[] = []

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake')
    const path = url.pathname
    const kind = /\/v1\/(stream|poll)$/.exec(path)?.[1]
    const html = pages.get(path)
    // Else the browser takes a cut for an idle connection's end, and asks again by itself.
    response.setHeader('connection', 'close')
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*')
    response.setHeader('access-control-allow-credentials', 'true')
    if (kind) {
      paths.push(path)
      const queue = kind === 'stream' ? streams : polls
      queue.push(new Call(url, request.headers, response))
    } else if (path === '/say') {
      said.push(decodeURIComponent(url.search.slice(1)))
      response.writeHead(204).end()
    } else if (html !== undefined) {
      const type = path.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8'
      response.writeHead(200, { 'content-type': type }).end(html)
    } else if (/\/downpipe(-html)?\.m?js$/.test(path)) {
      response
        .writeHead(200, { 'content-type': 'text/javascript' })
        .end(await readFile(join(scripts, basename(path))))
    } else {
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    streams,
    polls,
    paths,
    said,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
