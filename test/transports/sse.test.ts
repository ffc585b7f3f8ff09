import t from 'tap'
import { transportSuite } from '../conformance/transport.js'
import { connected, publish, stats, until } from '../helpers/calls.js'
import { startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

transportSuite(t, {
  connect: (url, ask) => new SseReader(url, ask),
  expired: { event: 'close', data: { reason: 'expired', reconnect: true } },
})

t.test('a stream’s head keeps caches and proxies out of it, and there is no chunking', async t => {
  const server = await startTestServer({ anonymousChannels: ['*'] })
  const reader = new SseReader(server.url, { channels: ['a'] })
  t.teardown(() => server.close())
  const { statusCode, headers } = await reader.head
  t.equal(statusCode, 200)
  t.match(headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    vary: 'Origin, Authorization, Cookie',
    connection: 'close',
  })
  t.notOk('transfer-encoding' in headers || 'content-length' in headers || 'keep-alive' in headers)
  await reader.next('ready')
  t.ok(Number(reader.retryMs) >= 1_000 && Number(reader.retryMs) <= 4_000, 'the pause is jittered')
})

t.test(
  'a heartbeat carries the place that was applied, so that a quiet reader does not fall behind',
  async t => {
    const server = await startTestServer({ anonymousChannels: ['*'], heartbeatMs: 300 })
    const reader = new SseReader(server.url, { channels: ['quiet'] })
    t.teardown(() => server.close())
    t.match(await reader.next('ready'), { data: { heartbeat: 0.3 } })
    const id = await publish(server, { channel: 'loud', data: 1 })
    let beat = await reader.next('heartbeat')
    while (beat.id !== id) beat = await reader.next('heartbeat')
    t.strictSame(beat, { event: 'heartbeat', id, data: undefined })
  },
)

t.test('a stream that is old is closed so that it comes back', async t => {
  const server = await startTestServer({ anonymousChannels: ['*'], streamAgeMs: 300 })
  const reader = new SseReader(server.url)
  t.teardown(() => server.close())
  await reader.next('ready')
  t.match(await reader.next('close'), {
    id: undefined,
    data: { reason: 'age', reconnect: true, retryMs: Number },
  })
  await reader.next('end')
})

t.test('what is transient is status 200 with a close, because an EventSource takes nothing else', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.answer = (_token, response) => response.writeHead(500).end()
  const reader = new SseReader(server.url, { token: 'five' })
  const { statusCode, headers } = await reader.head
  t.equal(statusCode, 200)
  t.match(headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
  })
  const { data } = await reader.next('close')
  t.match(data, { reason: 'busy', reconnect: true, retryMs: Number })
  t.ok(Number(reader.retryMs) >= 1_000, 'a plain EventSource waits as well')
  await reader.next('end')
})

t.test('a ready in mid-stream moves nobody’s place', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.identities.set('five', { uid: '5', channels: ['a'], expiresIn: 1 })
  const reader = new SseReader(server.url, { token: 'five' })
  await reader.next('ready')
  server.cms.identities.set('five', { uid: '5', channels: ['a', 'b'] })
  t.equal((await reader.next('ready')).id, undefined)
})

t.test('a token that belongs to somebody else now does not go on as somebody else', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.identities.set('five', { uid: '5', channels: ['a'], expiresIn: 1 })
  const reader = new SseReader(server.url, { token: 'five' })
  await reader.next('ready')
  server.cms.identities.set('five', { uid: '6', channels: ['a'] })
  t.match((await reader.next('close')).data, { reason: 'expired', reconnect: true })
})

t.test('a reader that leaves while its token is verified holds no place', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  let answer = () => {}
  server.cms.answer = (_token, response) => {
    answer = () => response.end('{"uid":"5"}')
  }
  const reader = new SseReader(server.url, { token: 'five' })
  await until('the question', () => server.cms.asked.length === 1)
  reader.close()
  const other = new SseReader(server.url, { token: 'five' })
  answer()
  await other.next('ready')
  await connected(server, 1)
  other.close()
  await connected(server, 0)
  t.match(await stats(server), { listenedKeys: 0 })
})

// A refresh that the CMS did not answer kept every later change of memberships from the open streams, as long as it was away.
t.test('memberships change also while the CMS is asked who the user is, or is away', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.identities.set('five', { uid: '5', channels: ['a', 'b'] })
  await server.membership('PUT', '5', 'extra')
  const reader = new SseReader(server.url, { token: 'five' })
  await reader.next('ready')
  server.cms.answer = (_token, response) => response.writeHead(500).end()
  await server.post('/refresh', { uid: '5' })
  for (const [method, channel, channels] of [
    ['DELETE', 'extra', ['a', 'b']],
    ['DELETE', 'a', ['b']],
    ['PUT', 'more', ['b', 'more']],
  ] as const) {
    await server.membership(method, '5', channel)
    t.strictSame(Object((await reader.next('ready')).data).channels, channels, `${method} ${channel}`)
  }
  for (const channel of ['extra', 'a', 'more']) await publish(server, { channel, data: channel })
  t.strictSame(await reader.messages(1), ['more'])
  reader.close()
})
