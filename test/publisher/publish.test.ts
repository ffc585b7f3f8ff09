import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { PublishError, Publisher, type PublisherOptions } from '../../src/publisher/index.js'
import { deadUrl } from '../helpers/listening.js'
import { startReadServer } from '../helpers/read-server.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import {
  accept,
  answer,
  type Conduct,
  cut,
  forward,
  forwardAndCut,
  hang,
  refuse,
  startUnreliableServer,
} from '../helpers/unreliable-server.js'

/** A deadline that only a failure meets, for tests that are not about it. */
const generousMs = 20_000

function createPublisher(t: Test, url: string, more: Partial<PublisherOptions> = {}): Publisher {
  const publisher = new Publisher({ url, key: serviceKey, timeoutMs: generousMs, flushAfterMs: 0, ...more })
  t.teardown(() => publisher.close())
  return publisher
}

async function failure(promise: Promise<unknown>): Promise<PublishError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof PublishError) return thrown
  throw new Error(`no PublishError, but ${inspect(thrown)}`)
}

t.test('a message is published at once and answered with its id', async t => {
  const { server, reader } = await startReadServer(t)
  const publisher = createPublisher(t, `${server.url}/`)
  const id = await publisher.publish({ channel: 'a', data: { n: 1 }, type: 'x' })
  t.match(await reader.next('message'), { id, data: { channel: 'a', data: { n: 1 }, type: 'x' } })
})

t.test('an array is stored as a whole, or refused as a whole', async t => {
  const { server, reader } = await startReadServer(t)
  const publisher = createPublisher(t, server.url)
  const ids = await publisher.publish([1, 2].map(data => ({ channel: 'a', data })))
  t.equal(ids.length, 2)
  const bad = publisher.publish([{ channel: 'a', data: 3 }, { data: 4 }])
  t.match(await failure(bad), { code: 'DOWNPIPE_INVALID_REQUEST', status: 400, index: 1, isTransient: false })
  t.match(await failure(publisher.publish([])), { status: 400 })
  await publisher.publish({ channel: 'a', data: 5 })
  t.strictSame(await reader.messages(3), [1, 2, 5])
})

t.test('a call whose answer is lost is repeated, and delivered once', async t => {
  const { server, reader } = await startReadServer(t)
  const proxy = await startUnreliableServer(t, forwardAndCut(server.url), forward(server.url))
  const publisher = createPublisher(t, proxy.url)
  const id = await publisher.publish({ channel: 'a', data: 'once' })
  await publisher.publish({ channel: 'a', data: 'end' })
  t.match(await reader.next('message'), { id, data: { data: 'once' } })
  t.match(await reader.next('message'), { data: { data: 'end' } }, 'and nothing between')
  t.equal(proxy.received.length, 3)
  t.equal(proxy.received[0]?.body, proxy.received[1]?.body)
})

t.test('a key of the caller’s own is kept, so that two processes publish one message', async t => {
  const { server, reader } = await startReadServer(t)
  const message = { channel: 'a', data: 'order', idempotencyKey: 'order-1' }
  const both = [createPublisher(t, server.url), createPublisher(t, server.url)]
  const ids = await Promise.all(both.map(publisher => publisher.publish(message)))
  t.equal(ids[0], ids[1])
  await both[0]?.publish({ channel: 'a', data: 'end' })
  t.strictSame(await reader.messages(2), ['order', 'end'])
})

t.test('what is transient is tried again', async t => {
  const transient: readonly (readonly [string, Conduct])[] = [
    ['a cut', cut],
    ['408', refuse(408, 'DOWNPIPE_REQUEST_TIMEOUT')],
    ['429', refuse(429, 'DOWNPIPE_TOO_MANY_REQUESTS')],
    ['500', refuse(500, 'DOWNPIPE_INTERNAL')],
    ['503', refuse(503, 'DOWNPIPE_BUSY')],
    ['503 that says at once', refuse(503, 'DOWNPIPE_BUSY', {}, { 'retry-after': '0' })],
    [
      '503 that names a time which has passed',
      refuse(503, 'X', {}, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
    ],
    ['a proxy’s 502', answer(502, '<html>Bad Gateway</html>')],
    [
      'half an answer',
      (_, response) =>
        response.writeHead(200, { 'content-length': 99 }).write('{"id"', () => response.destroy()),
    ],
  ]
  for (const [name, conduct] of transient) {
    const server = await startUnreliableServer(t, conduct, conduct, accept)
    t.equal(await createPublisher(t, server.url).publish({ channel: 'a' }), '1-1', name)
    t.equal(server.received.length, 3, name)
  }
})

t.test('after its retries it gives up with the last error', async t => {
  const server = await startUnreliableServer(t, refuse(503, 'DOWNPIPE_BUSY'))
  const error = await failure(createPublisher(t, server.url, { retries: 1 }).publish({ channel: 'a' }))
  t.match(error, { code: 'DOWNPIPE_BUSY', status: 503, isTransient: true })
  t.equal(server.received.length, 2)
  const dead = await failure(createPublisher(t, await deadUrl()).publish({ channel: 'a' }))
  t.match(dead, {
    code: 'DOWNPIPE_UNREACHABLE',
    status: undefined,
    isTransient: true,
    message: /ECONNREFUSED/,
  })
})

t.test('what is refused for good is tried once', async t => {
  const refusals: readonly (readonly [Conduct, object])[] = [
    [refuse(400, 'DOWNPIPE_INVALID_REQUEST'), { code: 'DOWNPIPE_INVALID_REQUEST', status: 400 }],
    [refuse(401, 'DOWNPIPE_SERVICE_KEY_REQUIRED'), { code: 'DOWNPIPE_SERVICE_KEY_REQUIRED', status: 401 }],
    [refuse(413, 'DOWNPIPE_TOO_LARGE'), { code: 'DOWNPIPE_TOO_LARGE', status: 413 }],
    [refuse(422, 'DOWNPIPE_IDEMPOTENCY_CONFLICT'), { code: 'DOWNPIPE_IDEMPOTENCY_CONFLICT', status: 422 }],
    [answer(404, '<html>'), { code: 'DOWNPIPE_BAD_ANSWER', status: 404 }],
    [answer(200, '<html>Welcome'), { code: 'DOWNPIPE_BAD_ANSWER', status: 200, message: /text\/html/ }],
    [answer(200, { ids: [1] }), { code: 'DOWNPIPE_BAD_ANSWER' }],
    [answer(200, { ids: ['1-1', '1-2'] }), { code: 'DOWNPIPE_BAD_ANSWER' }],
    [answer(200, { nothing: 1 }), { code: 'DOWNPIPE_BAD_ANSWER' }],
    [
      answer(200, `"${'x'.repeat(2_000_000)}"`),
      { code: 'DOWNPIPE_BAD_ANSWER', message: /over 1048576 bytes/ },
    ],
    [answer(302, '', { location: '/elsewhere' }), { code: 'DOWNPIPE_BAD_ANSWER', status: 302 }],
  ]
  for (const [conduct, expected] of refusals) {
    const server = await startUnreliableServer(t, conduct)
    const error = await failure(createPublisher(t, server.url).publish({ channel: 'a' }))
    t.match(error, { isTransient: false, ...expected })
    t.equal(server.received.length, 1)
  }
})

t.test('a server that hangs is given up within the time-out', async t => {
  const server = await startUnreliableServer(t, hang)
  const error = await failure(createPublisher(t, server.url, { timeoutMs: 100 }).publish({ channel: 'a' }))
  t.match(error, { code: 'DOWNPIPE_TIMEOUT', isTransient: true })
  t.equal(server.received.length, 1)
})

t.test('so is one whose answer trickles', async t => {
  const server = await startUnreliableServer(t, (_, response) => {
    response.writeHead(200)
    const trickle = setInterval(() => response.write(' '), 10)
    response.once('close', () => clearInterval(trickle))
  })
  const error = await failure(createPublisher(t, server.url, { timeoutMs: 200 }).publish({ channel: 'a' }))
  t.equal(error.code, 'DOWNPIPE_TIMEOUT')
})

t.test('it does not wait for a Retry-After that is later than its time-out', async t => {
  const server = await startUnreliableServer(t, refuse(503, 'DOWNPIPE_BUSY', {}, { 'retry-after': '3600' }))
  const publisher = createPublisher(t, server.url)
  t.match(await failure(publisher.publish({ channel: 'a' })), { status: 503, retryAfterMs: 3_600_000 })
  const next = await failure(publisher.publish({ channel: 'a' }))
  t.equal(next.code, 'DOWNPIPE_CIRCUIT_OPEN')
  t.ok((next.retryAfterMs ?? 0) > 5_000, 'nor does it come back before the server wants it to')
  t.ok((next.retryAfterMs ?? 0) <= 30_000, 'but within reason')
  t.equal(server.received.length, 1)
})

t.test('while the server is away calls fail at once, and it is found again', async t => {
  const server = await startUnreliableServer(t, cut)
  const publisher = createPublisher(t, server.url, { retries: 0, breakMs: 1_500 })
  t.equal((await failure(publisher.publish({ channel: 'a' }))).code, 'DOWNPIPE_UNREACHABLE')
  t.equal((await failure(publisher.publish({ channel: 'a' }))).code, 'DOWNPIPE_CIRCUIT_OPEN')
  t.equal(server.received.length, 1)
  server.next(accept)
  const endMs = performance.now() + generousMs
  let id: string | undefined
  while (id === undefined && performance.now() < endMs) {
    id = await publisher.publish({ channel: 'a' }).catch(async (error: unknown) => {
      t.match(error, { code: 'DOWNPIPE_CIRCUIT_OPEN' })
      await new Promise(resolve => setTimeout(resolve, 10))
      return undefined
    })
  }
  t.equal(id, '1-1')
})

t.test('calls share connections that are kept', async t => {
  const server = await startUnreliableServer(t, accept)
  const publisher = createPublisher(t, server.url)
  for (let index = 0; index < 5; index++) await publisher.publish({ channel: 'a' })
  t.equal(server.connections, 1)
})

t.test('a Unix socket, a path prefix and a site are addressed', async t => {
  // The path of a Unix socket is 107 bytes at the most, too few for this test's own folder.
  const folder = await mkdtemp(join(tmpdir(), 'downpipe-publisher-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 's')
  const server = await startTestServer({ listen: [{ path }] })
  t.teardown(() => server.close())
  t.match(await createPublisher(t, `unix:${path}`).publish({ channel: 'a' }), /-1$/)
  const fake = await startUnreliableServer(t, accept)
  await createPublisher(t, `${fake.url}/push/`, { site: 'a b' }).publish({ channel: 'a' })
  t.equal(fake.received[0]?.path, '/push/sites/a%20b/v1/publish')
})

t.test('options that cannot be used are refused, and the key is not repeated', async t => {
  const good = { url: 'http://127.0.0.1:1', key: serviceKey }
  const bad: readonly [Partial<PublisherOptions>, RegExp][] = [
    [{ url: 'nowhere' }, /^url: not a URL$/],
    [{ url: 'ftp://x' }, /^url: must be http/],
    [{ url: 'http://x/?key=secret' }, /^url: must hold no/],
    [{ url: 'http://user:secret@x/' }, /^url: must hold no/],
    [{ key: '' }, /^key: /],
    [{ key: 'secret\nX: y' }, /^key: /],
    [{ timeoutMs: 0 }, /^timeoutMs: /],
    [{ retries: -1 }, /^retries: /],
    [{ breakMs: Number.NaN }, /^breakMs: /],
    [{ queueLimit: { messages: 0 } }, /^queueLimit\.messages: /],
  ]
  for (const [options, message] of bad) {
    t.throws(() => new Publisher({ ...good, ...options }), { name: 'TypeError', message })
    try {
      new Publisher({ ...good, ...options })
    } catch (error) {
      t.notMatch(inspect(error), /secret/)
    }
  }
})

t.test(
  'the key is in no error, not even when the answer repeats it, and not in the publisher itself',
  async t => {
    const page = `<p>Authorization: Bearer ${serviceKey}`
    const echo = refuse(400, 'X', { message: page })
    const server = await startUnreliableServer(
      t,
      echo,
      answer(200, page, { 'content-type': `x/${serviceKey}` }),
      cut,
    )
    const publisher = createPublisher(t, server.url, { retries: 0, breakMs: 0 })
    for (let index = 0; index < 3; index++) {
      t.notMatch(inspect(await failure(publisher.publish({ channel: 'a' })), { depth: 9 }), serviceKey)
    }
    t.notMatch(inspect(publisher, { depth: 9, showHidden: true }), serviceKey)
  },
)

t.test('what cannot be written as JSON is said to be so', async t => {
  const publisher = createPublisher(t, await deadUrl())
  const error = await failure(publisher.publish({ channel: 'a', data: 1n }))
  t.match(error, { code: 'DOWNPIPE_NOT_JSON', isTransient: false })
})
