import { setTimeout as pause } from 'node:timers/promises'
import cors from '@fastify/cors'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import t from 'tap'
import { until } from '../helpers/calls.js'
import { serviceKey, startHost } from '../helpers/embedded.js'
import { PollReader, poll } from '../helpers/poll-reader.js'
import { RawConnection, streamEvents } from '../helpers/raw-connection.js'
import { deadlineMs } from '../helpers/reader.js'
import { SseReader } from '../helpers/sse-reader.js'

const open = { anonymousChannels: ['*'], serviceKeys: [serviceKey] }
const named = 'https://www.example.com'

/** An app with habits of its own, which must stay as they are. */
function habits(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) =>
    done(null, `text: ${body}`),
  )
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, `json: ${body}`),
  )
  app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ mine: error.message }))
  app.setNotFoundHandler((request, reply) => reply.code(404).send({ mine: request.url }))
  app.setReplySerializer(payload => `mine: ${JSON.stringify(payload)}`)
  app.post('/echo', async request => ({ body: request.body }))
  app.get('/fails', async () => {
    throw new Error('a fault of the app')
  })
  app.get('/v2', async () => ({ v: 2 }))
}

t.test('the app’s own parsers, error answers, 404s and headers are as they were', async t => {
  const { url } = await startHost(t, { build: habits, services: [{ ...open, allowOrigins: [named] }] })
  const ask = async (method: string, path: string, type?: string, body?: string) => {
    const headers = { origin: named, ...(type !== undefined && { 'content-type': type }) }
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) })
    t.equal(response.headers.get('access-control-allow-origin'), null, path)
    t.notMatch(response.headers.get('vary') ?? '', /origin/i, path)
    return `${response.status} ${await response.text()}`
  }
  t.equal(await ask('POST', '/echo', 'text/plain', 'hello'), '200 mine: {"body":"text: hello"}')
  t.equal(await ask('POST', '/echo', 'application/json', '{}'), '200 mine: {"body":"json: {}"}')
  t.equal(await ask('GET', '/fails'), '418 mine: {"mine":"a fault of the app"}')
  t.equal(await ask('GET', '/nothing?a=b'), '404 {"mine":"/nothing?a=b"}')
  t.equal(await ask('OPTIONS', '/echo'), '404 {"mine":"/echo"}')
  t.equal(await ask('GET', '/v2'), '200 mine: {"v":2}')
})

t.test('the service is as it is by itself, whatever habits the app has', async t => {
  const { url, post } = await startHost(t, { build: habits, services: [{ ...open, allowOrigins: [named] }] })
  t.match(await post('/v1/publish', { channel: 'a', data: { __proto__: 1, constructor: 2 } }), {
    status: 200,
  })
  t.match(await poll(url, { channels: ['a'], since: '0' }), {
    body: { messages: [{ data: { constructor: 2 } }] },
  })
  const headers = { authorization: `Bearer ${serviceKey}` }
  const form = await fetch(`${url}/v1/publish`, { method: 'POST', headers, body: '{"broadcast":true}' })
  t.match([form.status, await form.json()], [415, { code: 'DOWNPIPE_UNSUPPORTED_MEDIA_TYPE' }])
  const nowhere = await fetch(`${url}/v1/nothing`)
  t.match([nowhere.status, await nowhere.json()], [404, { code: 'DOWNPIPE_NOT_FOUND' }])
  t.match(await poll(url, { token: 'x' }), { status: 401, body: { code: 'DOWNPIPE_TOKEN_REFUSED' } })
  const foreign = await fetch(`${url}/v1/poll?channel=a`, { headers: { origin: 'https://other.example' } })
  t.match([foreign.status, await foreign.json()], [403, { code: 'DOWNPIPE_ORIGIN_FORBIDDEN' }])
  const preflight = await fetch(`${url}/v1/publish`, { method: 'OPTIONS', headers: { origin: named } })
  t.match([preflight.status, preflight.headers.get('access-control-allow-origin')], [204, named])
  const stream = new SseReader(url, { channels: ['a'], headers: { origin: named } })
  t.match((await stream.head).headers, { 'access-control-allow-origin': named })
  stream.close()
  t.equal((await fetch(`${url}/v1/stream`, { method: 'HEAD' })).status, 404)
})

t.test(
  'it is there beside the same plugins in the app: then the app’s CORS holds, and our refusals',
  async t => {
    const { url, post } = await startHost(t, {
      build: async app => {
        await app.register(cors, { origin: named, credentials: true, exposedHeaders: 'X-App' })
        await app.register(fastifyStatic, { root: import.meta.dirname, prefix: '/files/' })
        await app.register(FastifySSEPlugin)
      },
      services: [
        { ...open, prefix: '/one', allowOrigins: [named] },
        { ...open, prefix: '/two', decorateAs: 'two', serviceKeys: ['another-service-key'] },
      ],
    })
    t.match(await post('/one/v1/publish', { channel: 'a' }), { status: 200 })
    const asked = await fetch(`${url}/one/v1/poll?channel=a`, { headers: { origin: named } })
    t.match([asked.status, asked.headers.get('access-control-allow-origin')], [200, named])
    t.equal(asked.headers.get('access-control-expose-headers'), 'X-App')
    t.equal((await fetch(`${url}/two/v1/poll?channel=a`, { headers: { origin: named } })).status, 403)
    const figures = await fetch(`${url}/one/v1/stats/stream`, {
      headers: { authorization: `Bearer ${serviceKey}` },
    })
    t.match(figures.headers.get('content-type'), /^text\/event-stream/)
    await figures.body?.cancel()
  },
)

t.test('what the app’s answers depend on is said with ours', async t => {
  for (const [said, whole] of [
    ['Cookie, X-Tenant', 'Cookie, X-Tenant, Origin'],
    ['X-Origin', 'X-Origin, Origin'],
    ['origin, Cookie', 'origin, Cookie'],
    ['*', '*'],
  ] as const) {
    const { url } = await startHost(t, {
      build: app => {
        app.addHook('onRequest', async (_request, reply) => void reply.header('Vary', said))
      },
      services: [{ ...open, prefix: '/push', allowOrigins: [named] }],
    })
    for (const path of ['poll?wait=0&channel=a', 'nowhere']) {
      const { headers } = await fetch(`${url}/push/v1/${path}`, { headers: { origin: named } })
      t.equal(headers.get('vary'), whole, path)
    }
  }
})

t.test('the app’s log holds no token, whatever is asked of the service', async t => {
  const host = await startHost(t, {
    build: app => void app.get('/other', async () => ({})),
    services: [{ ...open, prefix: '/push', verify: () => null }],
  })
  for (const path of ['stream', 'poll', 'nothing', 'cursor', 'publish', 'poll%2', 'stream/x']) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      await fetch(`${host.url}/push/v1/${path}?token=seCret&channel=seCret`, { method }).then(response =>
        response.body?.cancel(),
      )
    }
  }
  await fetch(`${host.url}/other?mine=1`)
  t.match(host.log, '/other?mine=1', 'the app logs its own requests as before')
  const bad = host.log.split('\n').filter(line => line.includes('seCret') && !line.includes('poll%2'))
  t.strictSame(bad, [])
})

t.test('nothing is written into a stream, whatever else comes on its connection', async t => {
  const { url } = await startHost(t, { services: [open], build: habits })
  for (const garbage of [
    'GET /fails HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /v1/poll?channel=a HTTP/1.1\r\nHost: x\r\n\r\n',
    'rubbish\r\n\r\n',
    '\u0000\u0001',
  ]) {
    const client = new RawConnection(url)
    client.get('/v1/stream?channel=a')
    await client.until(/event: ready\n.*\n\n/s)
    client.write(garbage)
    await client.closed
    t.strictSame(
      streamEvents(client.received).map(({ event }) => event),
      ['ready'],
      JSON.stringify(garbage),
    )
  }
  const first = new RawConnection(url)
  first.write('GET /v2 HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/stream?channel=a HTTP/1.1\r\nHost: x\r\n\r\n')
  await first.until(/"v":2/)
  first.destroy()
})

t.test('what the framework allows a silent connection does not hold for streams', async t => {
  const { url, post } = await startHost(t, { fastify: { connectionTimeout: 100 }, services: [open] })
  const stream = new SseReader(url, { channels: ['a'] })
  t.teardown(() => stream.close())
  await stream.next('ready')
  const quiet = new RawConnection(url)
  await quiet.closed
  t.match(await post('/v1/publish', { channel: 'a', data: 'still here' }), { status: 200 })
  t.strictSame(await stream.messages(1), ['still here'])
})

t.test('closing the app ends streams and polls at once, with a good-bye', async t => {
  const { app, url } = await startHost(t, { services: [open] })
  const stream = new SseReader(url, { channels: ['a'] })
  await stream.next('ready')
  const figures = await fetch(`${url}/v1/stats/stream`, {
    headers: { authorization: `Bearer ${serviceKey}` },
  })
  const waiting = new PollReader(url, { channels: ['a'] })
  await waiting.next('ready')
  while (app.downpipe.stats().connections.poll === 0) await pause(5)
  const startMs = performance.now()
  await app.close()
  t.ok(performance.now() - startMs < deadlineMs / 2)
  t.match(await stream.next(), { event: 'close', data: { reason: 'shutdown', reconnect: true } })
  t.match(await stream.next(), { event: 'end' })
  t.match(await waiting.next(), { event: 'close', data: { reason: 'shutdown' } })
  await figures.text()
})

t.test('who does not read does not keep the app from closing for longer than the drain time-out', async t => {
  const { app, url } = await startHost(t, {
    services: [{ ...open, drainTimeoutMs: 200, slowAfterMs: 3_600_000 }],
  })
  const deaf = new RawConnection(url)
  deaf.get('/v1/stream?channel=a')
  await deaf.until(/event: ready/)
  deaf.socket.pause()
  // More than the system keeps for a socket.
  const data = 'x'.repeat(200_000)
  await until('nothing more is taken', async () => {
    await app.downpipe.publish({ channel: 'a', data })
    return app.downpipe.stats().outboxes.overflows > 0
  })
  await app.close()
  t.pass('it closed')
  deaf.destroy()
})
