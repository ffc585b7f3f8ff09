import t, { type Test } from 'tap'
import { type Drop, type Message, Publisher, type PublisherOptions } from '../../src/publisher/index.js'
import { until } from '../helpers/calls.js'
import { deadUrl } from '../helpers/listening.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import {
  accept,
  answer,
  cut,
  forward,
  forwardAndCut,
  hang,
  refuse,
  startUnreliableServer,
} from '../helpers/unreliable-server.js'

/** A deadline that only a failure meets, for tests that are not about it. */
const generousMs = 20_000

function create(t: Test, url: string, more: Partial<PublisherOptions> = {}) {
  const drops: Drop[] = []
  const publisher = new Publisher({
    url,
    key: serviceKey,
    timeoutMs: generousMs,
    flushAfterMs: 0,
    breakMs: 0,
    onDrop: drop => drops.push(drop),
    ...more,
  })
  t.teardown(() => publisher.close())
  const enqueue = (...all: readonly unknown[]) => {
    for (const data of all) publisher.enqueue({ channel: 'a', data })
  }
  const dropped = () => drops.map(({ message, reason }) => [message.data, reason])
  return { publisher, drops, enqueue, dropped }
}

function bodies(received: readonly { readonly body: string }[]): Message[][] {
  return received.map(({ body }) => JSON.parse(body))
}

/** The `data` of all messages, call by call. */
function sentData(received: readonly { readonly body: string }[]): unknown[][] {
  return bodies(received).map(messages => messages.map(({ data }) => data))
}

async function startReadServer(t: Test, overrides = {}) {
  const server = await startTestServer({ anonymousChannels: ['*'], ...overrides })
  t.teardown(() => server.close())
  const reader = new SseReader(server.url, { channels: ['a'] })
  t.teardown(() => reader.close())
  await reader.next('ready')
  return { server, reader }
}

t.test('what was queued is sent once, in its order, in one call', async t => {
  const { server, reader } = await startReadServer(t)
  const proxy = await startUnreliableServer(t, forward(server.url))
  const { publisher, enqueue } = create(t, proxy.url)
  enqueue(1, 2, 3)
  t.equal(publisher.queued, 3)
  t.equal(proxy.received.length, 0, 'not before')
  t.strictSame(await publisher.flush(), { sent: 3, dropped: 0, left: 0 })
  t.strictSame(await publisher.flush(), { sent: 0, dropped: 0, left: 0 })
  t.equal(proxy.received.length, 1)
  t.strictSame(await reader.messages(3), [1, 2, 3])
})

t.test('a message counts as it was when it was queued', async t => {
  const server = await startUnreliableServer(t, accept)
  const { publisher } = create(t, server.url)
  const data = { likes: 1 }
  publisher.enqueue({ channel: 'a', data })
  data.likes = 2
  await publisher.flush()
  t.strictSame(sentData(server.received), [[{ likes: 1 }]])
})

t.test('a flush whose answer is lost is repeated, and delivered once', async t => {
  const { server, reader } = await startReadServer(t)
  const proxy = await startUnreliableServer(t, forwardAndCut(server.url), forward(server.url))
  const { publisher, enqueue } = create(t, proxy.url)
  enqueue(1, 2)
  t.strictSame(await publisher.flush(), { sent: 2, dropped: 0, left: 0 })
  enqueue('end')
  await publisher.flush()
  t.strictSame(await reader.messages(3), [1, 2, 'end'])
  t.equal(proxy.received.length, 3)
})

t.test('so it is by a later flush, beside messages that came meanwhile', async t => {
  const { server, reader } = await startReadServer(t)
  const proxy = await startUnreliableServer(t, forwardAndCut(server.url))
  const { publisher, enqueue, dropped } = create(t, proxy.url, { retries: 0 })
  enqueue(1, 2)
  t.match(await publisher.flush(), { sent: 0, dropped: 0, left: 2, error: { code: 'DOWNPIPE_UNREACHABLE' } })
  enqueue(3)
  proxy.next(forward(server.url))
  t.strictSame(await publisher.flush(), { sent: 3, dropped: 0, left: 0 })
  t.strictSame(await reader.messages(3), [1, 2, 3])
  t.strictSame(dropped(), [])
})

t.test('a message that the server refuses does not keep the others from going', async t => {
  const { server, reader } = await startReadServer(t, { maxDataBytes: 1_024 })
  const proxy = await startUnreliableServer(t, forward(server.url))
  const { publisher, enqueue, dropped, drops } = create(t, proxy.url)
  await publisher.publish({ channel: 'a', data: 'first', idempotencyKey: 'used' })
  enqueue(1)
  publisher.enqueue({ data: 'no target' })
  enqueue(2)
  publisher.enqueue({ channel: 'a', data: 'conflict', idempotencyKey: 'used' })
  enqueue('x'.repeat(2_000), 3)
  t.match(await publisher.flush(), { sent: 3, dropped: 3, left: 0, error: { code: /^DOWNPIPE_/ } })
  t.strictSame(await reader.messages(4), ['first', 1, 2, 3])
  t.strictSame(dropped().sort(), [
    ['conflict', 'refused'],
    ['no target', 'refused'],
    ['x'.repeat(2_000), 'refused'],
  ])
  t.strictSame(drops.map(({ error }) => error?.status).sort(), [400, 413, 422])
})

t.test('when the server refuses all, all are dropped, and it is not tried again', async t => {
  const server = await startUnreliableServer(t, refuse(401, 'DOWNPIPE_SERVICE_KEY_REQUIRED'))
  const { publisher, enqueue, dropped } = create(t, server.url)
  enqueue(1, 2)
  t.match(await publisher.flush(), { sent: 0, dropped: 2, left: 0, error: { status: 401 } })
  t.strictSame(dropped(), [
    [1, 'refused'],
    [2, 'refused'],
  ])
  t.equal(server.received.length, 1)
})

t.test('calls that are too large for the server or its proxy are made smaller', async t => {
  const { server, reader } = await startReadServer(t, { maxMessages: 3 })
  const { publisher, enqueue } = create(t, server.url)
  enqueue(1, 2, 3, 4, 5, 6, 7)
  t.match(await publisher.flush(), { sent: 7, dropped: 0, left: 0 })
  t.strictSame(await reader.messages(7), [1, 2, 3, 4, 5, 6, 7])
  const proxy = await startUnreliableServer(t, answer(413, '<html>nginx'), answer(413, '<html>nginx'), accept)
  const behind = create(t, proxy.url)
  behind.enqueue(1, 2, 3, 4, 5)
  t.match(await behind.publisher.flush(), { sent: 5 })
  t.strictSame(sentData(proxy.received), [[1, 2, 3, 4, 5], [1, 2], [1], [2], [3], [4], [5]])
})

t.test('a body over the server’s limit is made smaller as well', async t => {
  const { server } = await startReadServer(t, { maxBodyBytes: 300_000 })
  const { publisher, enqueue, dropped } = create(t, server.url)
  enqueue(...Array.from({ length: 40 }, () => 'x'.repeat(50_000)))
  t.match(await publisher.flush(), { sent: 40, dropped: 0, left: 0 })
  t.strictSame(dropped(), [])
})

t.test('a message that alone is over the limit of a call is refused, and only that', async t => {
  const server = await startUnreliableServer(
    t,
    answer(413, '<html>nginx'),
    answer(413, '<html>nginx'),
    accept,
  )
  const { publisher, enqueue, dropped } = create(t, server.url)
  enqueue('large', 'small')
  t.match(await publisher.flush(), { sent: 1, dropped: 1, left: 0 })
  t.strictSame(dropped(), [['large', 'refused']])
})

t.test('a call carries at most 1,000 messages and 8 MB', async t => {
  const server = await startUnreliableServer(t, accept)
  const { publisher, enqueue } = create(t, server.url)
  enqueue(...Array.from({ length: 2_001 }, (_, index) => index))
  t.match(await publisher.flush(), { sent: 2_001 })
  const numbers = sentData(server.received)
  t.strictSame(
    numbers.map(({ length }) => length),
    [1_000, 1_000, 1],
  )
  t.strictSame(
    numbers.flat(),
    Array.from({ length: 2_001 }, (_, index) => index),
  )
  enqueue(...Array.from({ length: 5 }, () => 'ä'.repeat(1_500_000)))
  await publisher.flush()
  const large = server.received.slice(3)
  t.strictSame(
    sentData(large).map(({ length }) => length),
    [2, 2, 1],
  )
  for (const { body } of large) t.ok(Buffer.byteLength(body) <= 8_000_000)
})

t.test('a server that is down breaks nothing: queueing goes on, and a flush says what is left', async t => {
  const { publisher, enqueue, dropped } = create(t, await deadUrl())
  enqueue(1, 2)
  t.match(await publisher.flush(), { sent: 0, dropped: 0, left: 2, error: { code: 'DOWNPIPE_UNREACHABLE' } })
  enqueue(3)
  t.equal(publisher.queued, 3)
  t.strictSame(dropped(), [])
})

t.test('a server that hangs holds up a flush for the time-out, however many calls it needs', async t => {
  const server = await startUnreliableServer(t, hang)
  const { publisher, enqueue } = create(t, server.url, { timeoutMs: 100 })
  enqueue(...Array.from({ length: 3_000 }, (_, index) => index))
  t.match(await publisher.flush(), { sent: 0, left: 3_000, error: { code: 'DOWNPIPE_TIMEOUT' } })
  t.equal(server.received.length, 1)
})

t.test('after a failure the next flush does not even try', async t => {
  const server = await startUnreliableServer(t, hang)
  const { publisher, enqueue } = create(t, server.url, { timeoutMs: 100, breakMs: generousMs })
  enqueue(1)
  await publisher.flush()
  t.match(await publisher.flush(), { left: 1, error: { code: 'DOWNPIPE_CIRCUIT_OPEN' } })
  t.equal(server.received.length, 1)
})

t.test('the queue is bounded, and the oldest go first', async t => {
  const { publisher, enqueue, dropped } = create(t, await deadUrl(), { queueLimit: { messages: 3 } })
  enqueue(1, 2, 3, 4, 5)
  t.equal(publisher.queued, 3)
  t.strictSame(dropped(), [
    [1, 'full'],
    [2, 'full'],
  ])
  await publisher.flush()
  t.equal(publisher.queued, 3, 'what could not be sent is still there')
})

t.test('so are its bytes; a message over all of them leaves with what stood before it', async t => {
  const { publisher, enqueue, dropped } = create(t, await deadUrl(), { queueLimit: { bytes: 1_000 } })
  const text = 'x'.repeat(400)
  enqueue(text, 'b')
  enqueue(text)
  t.strictSame(dropped(), [[text, 'full']])
  enqueue('y'.repeat(2_000))
  t.equal(publisher.queued, 0)
  t.equal(dropped().length, 4)
})

t.test('what is sent at the moment and must go back takes its old place, within the bounds', async t => {
  const server = await startUnreliableServer(t, hang)
  const { publisher, enqueue, dropped } = create(t, server.url, {
    timeoutMs: 300,
    queueLimit: { messages: 3 },
  })
  enqueue(1, 2)
  const flushed = publisher.flush()
  await until('the call', () => server.received.length === 1)
  enqueue(3, 4)
  await flushed
  t.strictSame(dropped(), [[1, 'full']])
  server.next(accept)
  await publisher.flush()
  t.strictSame(sentData(server.received), [
    [1, 2],
    [2, 3, 4],
  ])
})

t.test('a message that waited for too long is dropped: its idempotency key is good no longer', async t => {
  const server = await startUnreliableServer(t, cut)
  const { publisher, enqueue, dropped } = create(t, server.url, { maxAgeMs: 1, retries: 0 })
  enqueue('old')
  const beforeMs = performance.now()
  await until('some time has passed', () => performance.now() > beforeMs + 10)
  t.match(await publisher.flush(), { sent: 0, dropped: 1, left: 0 })
  t.strictSame(dropped(), [['old', 'age']])
  t.equal(server.received.length, 0)
})

t.test('flushes do not overtake one another; who asks meanwhile shares the next', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const server = await startUnreliableServer(
    t,
    async (received, response) => {
      await held
      accept(received, response)
    },
    accept,
  )
  const { publisher, enqueue } = create(t, server.url)
  enqueue(1)
  const first = publisher.flush()
  await until('the first call', () => server.received.length === 1)
  enqueue(2)
  const second = publisher.flush()
  enqueue(3)
  const third = publisher.flush()
  t.equal(second, third)
  release()
  t.strictSame(await Promise.all([first, second]), [
    { sent: 1, dropped: 0, left: 2 },
    { sent: 2, dropped: 0, left: 0 },
  ])
  t.strictSame(sentData(server.received), [[1], [2, 3]])
})

t.test('what is queued is sent after a while, even if nobody flushes and the server was away', async t => {
  const server = await startUnreliableServer(t, cut, accept)
  const { publisher, enqueue } = create(t, server.url, { flushAfterMs: 5, breakMs: 20, retries: 0 })
  enqueue(1)
  await until('it was sent', () => server.received.length === 2 && publisher.queued === 0)
  t.strictSame(sentData(server.received), [[1], [1]])
  t.strictSame(bodies(server.received)[0], bodies(server.received)[1], 'with the same key')
})

t.test('enqueue never throws: not for what is no JSON, nor when onDrop does', async t => {
  const warned = new Promise<Error>(resolve => {
    process.once('warning', resolve)
  })
  const drops: Drop[] = []
  const { publisher } = create(t, await deadUrl(), {
    onDrop: drop => {
      drops.push(drop)
      throw new Error('from onDrop')
    },
  })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const thrower = {
    toJSON() {
      throw new Error('no')
    },
  }
  for (const data of [circle, 1n, thrower]) t.doesNotThrow(() => publisher.enqueue({ channel: 'a', data }))
  t.strictSame(
    drops.map(({ reason, error }) => [reason, error?.code]),
    [1, 2, 3].map(() => ['not-json', 'DOWNPIPE_NOT_JSON']),
  )
  t.match(await warned, { name: 'DownpipeWarning', message: 'onDrop threw: from onDrop' })
})

t.test('close sends what is queued, tries a server that was away, and takes no more', async t => {
  const server = await startUnreliableServer(t, cut, accept)
  const { publisher, enqueue, dropped } = create(t, server.url, { breakMs: generousMs, retries: 0 })
  enqueue(1)
  await publisher.flush()
  t.strictSame(await publisher.close(), { sent: 1, dropped: 0, left: 0 })
  enqueue(2)
  t.strictSame(dropped(), [[2, 'closed']])
  await t.rejects(publisher.publish({ channel: 'a' }), { code: 'DOWNPIPE_CLOSED' })
  t.strictSame(await publisher.close(), { sent: 0, dropped: 0, left: 0 }, 'twice is no harm')
})

t.test('close waits for calls under way, and drops what cannot be sent', async t => {
  const server = await startUnreliableServer(t, accept, hang)
  const { publisher, enqueue, dropped } = create(t, server.url, { timeoutMs: 300 })
  const published = publisher.publish({ channel: 'a' })
  enqueue(1)
  t.match(await publisher.close(), { sent: 0, dropped: 1, left: 0, error: { code: 'DOWNPIPE_TIMEOUT' } })
  t.equal(await published, '1-1')
  t.strictSame(dropped(), [[1, 'closed']])
})
