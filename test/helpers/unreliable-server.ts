import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { listen } from './listening.js'

/** A request that came, whole. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the server does with a request. */
export type Conduct = (received: Received, response: ServerResponse) => unknown

/** Answers with these words. */
export function answer(status: number, body: string | object, headers: Record<string, string> = {}): Conduct {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/html' : 'application/json'
  return (_, response) => response.writeHead(status, { 'content-type': type, ...headers }).end(text)
}

/** Answers with an error of Downpipe's form. */
export function refuse(status: number, code: string, more: object = {}, headers = {}): Conduct {
  return answer(status, { statusCode: status, code, error: 'Refused', message: 'refused', ...more }, headers)
}

/** Answers as a server that stored everything. */
export const accept: Conduct = ({ body }, response) => {
  const sent: unknown = JSON.parse(body)
  const ids = Array.isArray(sent) ? { ids: sent.map((_, index) => `1-${index + 1}`) } : { id: '1-1' }
  return answer(200, ids)({ method: '', path: '', headers: {}, body }, response)
}

/** Never answers. */
export const hang: Conduct = () => {}

/** Ends the connection without an answer. */
export const cut: Conduct = (_, response) => response.destroy()

/** Lets another server answer. */
export function forward(url: string): Conduct {
  return async (received, response) => {
    const { status, text } = await pass(url, received)
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }
}

/** Lets another server do it, and ends the connection before its answer: what came of it is not known. */
export function forwardAndCut(url: string): Conduct {
  return async (received, response) => {
    await pass(url, received)
    response.destroy()
  }
}

async function pass(url: string, { method, path, headers, body }: Received) {
  const answered = await fetch(url + path, {
    method,
    headers: { authorization: headers.authorization ?? '', 'content-type': 'application/json' },
    body,
  })
  return { status: answered.status, text: await answered.text() }
}

/** A server that does with each request what it is told to. */
export interface UnreliableServer {
  readonly url: string
  readonly received: readonly Received[]
  /** The connections that were made. */
  readonly connections: number
  /** What is done with the next requests, one each; the last one with all that follow. */
  next(...conducts: readonly Conduct[]): void
}

/** Starts it on a free port; it ends with the test. */
export async function startUnreliableServer(
  t: Test,
  ...first: readonly Conduct[]
): Promise<UnreliableServer> {
  const received: Received[] = []
  let conducts = [...first]
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const whole = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
    received.push(whole)
    const conduct = conducts.length > 1 ? conducts.shift() : conducts[0]
    await conduct?.(whole, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  const port = await listen(server)
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    get connections() {
      return connections
    },
    next(...more) {
      conducts = [...more]
    },
  }
}
