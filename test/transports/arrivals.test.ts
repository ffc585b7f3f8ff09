import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Arrivals } from '../../src/arrivals.js'
import { defaults } from '../../src/config.js'
import { startServer } from '../../src/server.js'
import { connected, publish, stats, until } from '../helpers/calls.js'
import { type Question, startCms } from '../helpers/cms.js'
import { openConnection, type RawConnection } from '../helpers/raw-connection.js'
import { openServer } from '../helpers/server.js'
import { headOf, ServerSide } from '../helpers/two-ways.js'

const head = headOf('/v1/stream?channel=a')
const ready = /^event: ready\n(.+\n)*\n/m

t.test('who leaves, in whatever way and whenever, leaves nothing behind', async t => {
  const most = 10
  const server = await openServer(t, { maxConnections: most })
  const side = new ServerSide(t)
  server.cms.answer = () => {}
  const phases = [
    async () => {},
    async (client: RawConnection) => {
      client.write(head.slice(0, 10))
      await side.hasRead(client, 10)
    },
    async (client: RawConnection) => {
      client.write(head.slice(0, 20))
      await side.hasRead(client, 20)
    },
    (client: RawConnection) => side.send(client, headOf('/v1/stream?token=five'), 'whole'),
    async (client: RawConnection) => {
      client.write(head)
      await client.until(ready)
    },
  ]
  const ways = [
    (client: RawConnection) => client.socket.end(),
    (client: RawConnection) => client.socket.resetAndDestroy(),
  ]
  for (const round of [1, 2, 3]) {
    const clients = await Promise.all(
      phases.flatMap(phase =>
        ways.map(async leave => {
          const client = openConnection(t, server)
          const socket = await side.socketOf(client)
          await phase(client)
          return { client, socket, leave }
        }),
      ),
    )
    t.ok(
      clients.every(({ socket }) => !socket.destroyed),
      `round ${round}: all have a place`,
    )
    for (const { client, leave } of clients) leave(client)
    for (const { client } of clients) await client.closed
    await until('the ends', () => clients.every(({ socket }) => socket.destroyed))
  }
  await connected(server, 0)
  t.match(await stats(server), { connects: 6, listenedKeys: 0 })
})

t.test('a connection on which nothing comes is ended as late', async t => {
  const server = await openServer(t, { requestTimeoutMs: 300 })
  const client = openConnection(t, server)
  await client.closed
  t.match(client.received, /^HTTP\/1\.1 408 Request Timeout\r\n.*"code":"DOWNPIPE_REQUEST_TIMEOUT"/s)
  t.match(client.received, /^connection: close\r$/im)
})

t.test('bytes that come before the answer end the connection, and nobody is let in', async t => {
  const server = await openServer(t)
  const answers: (() => void)[] = []
  server.cms.answer = (_token, response) => answers.push(() => response.end('{"uid":"5"}'))
  const client = openConnection(t, server)
  client.write(headOf('/v1/stream?token=five'))
  await until('the question', () => answers.length === 1)
  client.write(headOf('/healthz'))
  await client.closed
  answers[0]?.()
  t.equal(client.received, '')
  const other = openConnection(t, server)
  other.write(headOf('/v1/stream?token=five'))
  await other.until(ready)
  t.match(await stats(server), { connects: 1 })
})

t.test('who sends a head and at once says that it will send no more is not kept', async t => {
  const server = await openServer(t)
  server.cms.identities.set('five', { uid: '5', channels: ['a'] })
  for (const path of ['/v1/stream?channel=a', '/v1/stream?token=five']) {
    const client = openConnection(t, server)
    client.socket.end(headOf(path))
    await client.closed
  }
  await connected(server, 0)
})

t.test('a stream that is the second request of a connection is one of HTTP', async t => {
  const server = await openServer(t)
  const side = new ServerSide(t)
  const client = openConnection(t, server)
  await side.send(client, headOf('/healthz'), 'whole')
  await client.until(/"ok"\}$/)
  client.write(head)
  await client.until(ready)
  t.ok(side.isHttp(client))
  await publish(server, { channel: 'a', data: 'still here' })
  await client.until(/"still here"/)
})

t.test(
  'who is being verified, or has sent half a head, when the time for a stop is up is cut off',
  async t => {
    const server = await openServer(t, { drainTimeoutMs: 300 })
    const side = new ServerSide(t)
    server.cms.answer = () => {}
    const client = openConnection(t, server)
    client.write(headOf('/v1/stream?token=five'))
    await until('the question', () => server.cms.asked.length === 1)
    const half = openConnection(t, server)
    half.write(head.slice(0, 20))
    await side.hasRead(half, 20)
    const beginMs = performance.now()
    await Promise.all([server.close(), client.closed, half.closed])
    t.ok(performance.now() - beginMs < 4_000, 'before the CMS is given up')
    t.equal(client.received + half.received, '')
  },
)

t.test('thousands may come at once', async t => {
  const server = await openServer(t)
  const clients = Array.from({ length: 3_000 }, () => openConnection(t, server))
  for (const client of clients) client.write(head)
  for (const client of clients) await client.until(ready)
  t.match(await stats(server), { connects: 3_000, connections: { sse: 3_000 } })
  await publish(server, { channel: 'a', data: 'for all' })
  for (const client of clients) await client.until(/"for all"/)
  for (const client of clients) client.socket.resetAndDestroy()
  await connected(server, 0)
  t.match(await stats(server), { listenedKeys: 0, outboxes: { queued: 0 } })
})

t.test('a server that does not take its connections by an event is left alone', async t => {
  const server = createServer()
  server.removeAllListeners('connection')
  new Arrivals(server, { claim: () => 'http', timeoutMs: 1_000, refuse: () => {} })
  t.equal(server.listenerCount('connection'), 0)
})

t.test('a stream over a Unix socket belongs to whom the proxy names, if it is trusted', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'downpipe-'))
  const cms = await startCms()
  const questions: Question[] = []
  cms.answer = (_token, response, _request, question) => {
    questions.push(question)
    response.end('{"uid":"5"}')
  }
  for (const trustProxy of [true, false]) {
    const path = join(folder, String(trustProxy))
    const config = { listen: [{ path }], authUrl: cms.url, trustProxy, logLevel: 'silent' } as const
    const server = await startServer(defaults({ ...config, serviceKeys: ['a-service-key-of-this-test'] }))
    for (const forwarded of [{}, { 'x-forwarded-for': '192.0.2.1' }]) {
      const request = get({
        socketPath: path,
        path: `/v1/stream?token=${questions.length}`,
        headers: forwarded,
      })
      const [response]: IncomingMessage[] = await once(request, 'response')
      t.equal(response?.statusCode, 200)
      request.destroy()
    }
    await server.close()
  }
  await cms.close()
  await rm(folder, { recursive: true })
  t.strictSame(
    questions.map(({ ip }) => ip),
    [undefined, '192.0.2.1', undefined, undefined],
  )
})
