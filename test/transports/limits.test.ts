import t from 'tap'
import { until } from '../helpers/calls.js'
import { poll } from '../helpers/poll-reader.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { openServer, serviceKey } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

t.jobs = 4

const busy = { reason: 'busy', reconnect: true }

t.test('an address has so many streams and polls, and a place that comes free is free', async t => {
  const server = await openServer(t, { connectionsPerAddress: 2 })
  const [one, two] = [new SseReader(server.url), new SseReader(server.url)]
  await one.next('ready')
  await two.next('ready')
  t.match((await new SseReader(server.url).next('close')).data, busy)
  t.match(await poll(server.url), {
    status: 429,
    headers: { 'retry-after': /^\d$/ },
    body: { retryAfter: Number },
  })
  one.close()
  await until('a free place', async () => (await poll(server.url)).status === 200)
  for (const _ of [1, 2, 3]) t.match(await poll(server.url), { status: 200 }, 'a poll gives its place back')
  t.match(await poll(server.url, { channels: ['\n'] }), { status: 400 }, 'and so does one that is refused')
  const three = new SseReader(server.url)
  await three.next('ready')
})

t.test('an address is that of the visitor where the proxy is trusted, and of IPv6 the network', async t => {
  const server = await openServer(t, { connectionsPerAddress: 1, trustProxy: ['loopback'] })
  const from = (address: string) =>
    new SseReader(server.url, { headers: { 'x-forwarded-for': address } }).next()
  t.match(await from('192.0.2.1'), { event: 'ready' })
  t.match(await from('192.0.2.2'), { event: 'ready' })
  t.match(await from('192.0.2.1'), { event: 'close', data: busy })
  t.match(await from('::ffff:192.0.2.1'), { event: 'close', data: busy })
  t.match(await from('2001:db8:0:1::1'), { event: 'ready' })
  t.match(await from('2001:db8:0:1:ffff::2'), { event: 'close', data: busy })
  t.match(await from('2001:db8:0:2::1'), { event: 'ready' })
  t.match(await from('192.0.2.1, 192.0.2.9'), { event: 'ready' }, 'only what our own proxy says counts')
})

t.test('a process has so many connections, and one too many is dropped before it costs anything', async t => {
  const server = await openServer(t, { maxConnections: 2 })
  const [one, two] = [new RawConnection(server.url), new RawConnection(server.url)]
  one.get('/v1/stream?channel=a')
  two.get('/v1/stream?channel=a')
  await one.until(/event: ready/)
  await two.until(/event: ready/)
  const three = new RawConnection(server.url)
  await three.closed
  t.equal(three.received, '')
  one.destroy()
  await until('a free place', async () => {
    const next = new RawConnection(server.url)
    next.get('/healthz')
    return next.until(/200 OK/).then(
      () => true,
      () => false,
    )
  })
  two.destroy()
})

t.test('unknown tokens from one address are asked about so many at a time', async t => {
  const server = await openServer(t, { verifyRate: 0.001, verifyBurst: 2 })
  server.cms.identities.set('one', { uid: '1', channels: [] })
  for (const token of ['one', 'two']) await new SseReader(server.url, { token }).next()
  t.match(await new SseReader(server.url, { token: 'three' }).next('close'), { data: busy })
  t.match(await poll(server.url, { token: 'four' }), {
    status: 429,
    body: { code: 'DOWNPIPE_TOO_MANY_REQUESTS' },
  })
  await new SseReader(server.url, { token: 'one' }).next('ready')
  t.strictSame(server.cms.asked, ['one', 'two'], 'a known token is none of them')
})

t.test('so many tokens wait for the CMS, and one too many is told to come back', async t => {
  const server = await openServer(t, { verifyConcurrency: 1, verifyQueue: 1 })
  const answers: (() => void)[] = []
  server.cms.answer = (token, response) => answers.push(() => response.end(JSON.stringify({ uid: token })))
  const one = new SseReader(server.url, { token: 'one' })
  await until('the question', () => answers.length === 1)
  const two = new SseReader(server.url, { token: 'two' })
  await until('the queue', async () => {
    const { body } = await server.get('/stats', { authorization: `Bearer ${serviceKey}` })
    return Object(body.verifier).waiting === 1
  })
  t.match(await new SseReader(server.url, { token: 'three' }).next('close'), { data: busy })
  answers[0]?.()
  t.match(await one.next('ready'), { data: { uid: 'one' } })
  await until('the next question', () => answers.length === 2)
  answers[1]?.()
  t.match(await two.next('ready'), { data: { uid: 'two' } })
})

t.test('a token waits only so long for its turn', async t => {
  const server = await openServer(t, { verifyConcurrency: 1, verifyTimeoutMs: 300 })
  server.cms.answer = () => {}
  const readers = ['one', 'two', 'three'].map(token => new SseReader(server.url, { token }))
  for (const reader of readers) t.match(await reader.next('close'), { data: busy })
})
