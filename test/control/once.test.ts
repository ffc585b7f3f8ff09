import t, { type Test } from 'tap'
import { connected, publish } from '../helpers/calls.js'
import { PollReader } from '../helpers/poll-reader.js'
import type { Reader } from '../helpers/reader.js'
import { openServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

const transports = { sse: SseReader, poll: PollReader }

/** Readers of channel `a` on every transport, who are there now. */
async function join(t: Test, server: TestServer, since?: string): Promise<Reader[]> {
  const readers = Object.values(transports).map(
    Transport => new Transport(server.url, { channels: ['a'], ...(since !== undefined && { since }) }),
  )
  t.teardown(() => {
    for (const reader of readers) reader.close()
  })
  for (const reader of readers) await reader.next('ready')
  return readers
}

t.test('the same key and body, one after the other or at once: the same answer, one delivery', async t => {
  const server = await openServer(t)
  const readers = await join(t, server)
  const message = { channel: 'a', data: { likes: 4 }, idempotencyKey: 'like-1' }
  const atOnce = await Promise.all(Array.from({ length: 20 }, () => server.post('/publish', message)))
  const after = await server.post('/publish', message)
  for (const answer of [...atOnce, after]) t.strictSame(answer, atOnce[0])
  t.match(after, { status: 200, body: { id: /-1$/ } })
  await publish(server, { channel: 'a', data: 'end' })
  for (const reader of readers) t.strictSame(await reader.messages(2), [message.data, 'end'])
})

t.test('so it is with arrays, also when they arrive at once and hold other messages as well', async t => {
  const server = await openServer(t)
  const readers = await join(t, server)
  const keyed = ['one', 'two'].map(data => ({ channel: 'a', data, idempotencyKey: data }))
  const batches = [keyed, [...keyed].reverse(), keyed]
  const answers = await Promise.all(batches.map(batch => server.post('/publish', batch)))
  const [first, turned, same] = answers.map(({ body }) => body.ids)
  t.ok(Array.isArray(turned) && Array.isArray(first))
  t.strictSame(same, first)
  t.strictSame(Array.isArray(turned) && turned.reverse(), first)
  await publish(server, { channel: 'a', data: 'end' })
  for (const reader of readers) {
    const all = await reader.messages(3)
    t.strictSame(all.sort(), ['end', 'one', 'two'])
  }
})

t.test(
  'the same key with another body is a conflict that names the message, and nothing is delivered',
  async t => {
    const server = await openServer(t)
    const readers = await join(t, server)
    await publish(server, { channel: 'a', data: 1, idempotencyKey: 'k' })
    const conflict = { code: 'DOWNPIPE_IDEMPOTENCY_CONFLICT', statusCode: 422 }
    t.match(await server.post('/publish', { channel: 'a', data: 2, idempotencyKey: 'k' }), {
      status: 422,
      body: conflict,
    })
    const batch = [
      { channel: 'a', data: 3 },
      { channel: 'a', data: 4, idempotencyKey: 'k' },
    ]
    t.match(await server.post('/publish', batch), { status: 422, body: { ...conflict, index: 1 } })
    await publish(server, { channel: 'a', data: 'end' })
    for (const reader of readers) t.strictSame(await reader.messages(2), [1, 'end'])
  },
)

t.test(
  'of two bodies with one key that arrive at once, one is delivered and the other a conflict',
  async t => {
    const server = await openServer(t)
    const readers = await join(t, server)
    const answers = await Promise.all(
      ['x', 'y'].map(data => server.post('/publish', { channel: 'a', data, idempotencyKey: 'k' })),
    )
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 422])
    const kept = answers[0]?.status === 200 ? 'x' : 'y'
    await publish(server, { channel: 'a', data: 'end' })
    for (const reader of readers) t.strictSame(await reader.messages(2), [kept, 'end'])
  },
)

t.test('an error about one message of an array says which', async t => {
  const server = await openServer(t, { maxDataBytes: 1_024 })
  const good = { channel: 'a' }
  const bad = [
    [400, { data: 1 }],
    [400, 5],
    [400, { channel: 'a\n' }],
    [413, { channel: 'a', data: 'x'.repeat(2_000) }],
  ] as const
  for (const [status, message] of bad) {
    t.match(await server.post('/publish', [good, good, message]), { status, body: { index: 2 } })
  }
  const { body } = await server.post('/publish', { data: 1 })
  t.notOk('index' in body, 'one alone needs none')
  t.notOk('index' in (await server.post('/publish', [])).body)
})

t.test('ttl 0: delivered live, never replayed, and no gap when it has left the window', async t => {
  const server = await openServer(t, { windowEntries: 2 })
  const live = await join(t, server)
  // A poller is live while its poll waits; one call, so that the answer holds all of it.
  await connected(server, live.length)
  const liveOnly = ['one', 'two', 'three'].map(data => ({ channel: 'a', data, ttl: 0 }))
  const { body } = await server.post('/publish', [{ channel: 'a', data: 'kept' }, ...liveOnly])
  const before = Array.isArray(body.ids) ? String(body.ids[0]) : ''
  for (const reader of live) t.strictSame(await reader.messages(4), ['kept', 'one', 'two', 'three'])
  const late = await join(t, server, before)
  await publish(server, { channel: 'a', data: 'end' })
  for (const reader of late) t.match(await reader.next(), { event: 'message', data: { data: 'end' } })
})

t.test('a message with no ttl that has left the window is a gap, so the test above could fail', async t => {
  const server = await openServer(t, { windowEntries: 2 })
  const before = await publish(server, { channel: 'a', data: 'kept' })
  for (const data of ['one', 'two', 'three']) await publish(server, { channel: 'a', data })
  for (const reader of await join(t, server, before)) t.match(await reader.next(), { event: 'gap' })
})
