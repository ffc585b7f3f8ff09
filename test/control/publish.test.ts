import t, { type Test } from 'tap'
import { publish, until } from '../helpers/calls.js'
import { openServer, serviceKey, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

const authorization = `Bearer ${serviceKey}`

async function cursor(server: TestServer): Promise<unknown> {
  const { status, body } = await server.get('/cursor', { authorization })
  if (status !== 200) throw new Error(`no cursor: ${status}`)
  return body.cursor
}

/** The data of all that was stored, by a reader that starts at the beginning. */
async function stored(t: Test, server: TestServer, count: number): Promise<unknown[]> {
  await publish(server, { broadcast: true, data: 'the end' })
  const reader = new SseReader(server.url, { channels: ['a'], since: '0' })
  t.teardown(() => reader.close())
  await reader.next('ready')
  const all = await reader.messages(count + 1)
  t.equal(all.pop(), 'the end')
  return all
}

t.test('a message is answered with its id, which is where the log is then', async t => {
  const server = await openServer(t)
  const before = await cursor(server)
  t.match(before, /^\d{13}-0$/)
  const { status, body } = await server.post('/publish', { channel: 'a', data: 1 })
  t.equal(status, 200)
  t.strictSame(Object.keys(body), ['id'])
  t.match(body.id, /^\d{13}-1$/)
  t.equal(await cursor(server), body.id)
})

t.test('an array is answered with as many ids, in its order, without a hole between them', async t => {
  const server = await openServer(t)
  const { body } = await server.post(
    '/publish',
    [1, 2, 3].map(data => ({ channel: 'a', data })),
  )
  t.strictSame(Object.keys(body), ['ids'])
  t.strictSame(places(body.ids), [1, 2, 3])
  const one = await server.post('/publish', [{ channel: 'a', data: 4 }])
  t.strictSame(places(one.body.ids), [4], 'an array of one is an array, too')
  t.strictSame(await stored(t, server, 4), [1, 2, 3, 4])
})

t.test('of an array with a bad message nothing is stored', async t => {
  const server = await openServer(t, { maxDataBytes: 1_024 })
  const good = { channel: 'a', data: 1 }
  await server.post('/publish', { channel: 'a', data: 'first', idempotencyKey: 'used' })
  for (const [bad, status] of [
    [{ channel: 'a', uid: '5', channels: ['x'] }, 400],
    [{ channel: 'a', data: 'x'.repeat(2_000) }, 413],
    [{ channel: 'a', data: 'other', idempotencyKey: 'used' }, 422],
  ] as const) {
    t.match(await server.post('/publish', [good, good, bad, good]), { status })
  }
  t.strictSame(await stored(t, server, 1), ['first'])
})

t.test('a call that is repeated with its idempotency key has the same answer and one effect', async t => {
  const server = await openServer(t)
  const message = { channel: 'a', data: { b: 1, c: 2 }, idempotencyKey: 'order-1' }
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.post('/publish', message)))
  t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  t.match(answers[0], { status: 200, body: { id: /-1$/ } })
  const batch = await server.post('/publish', [message, { channel: 'a', data: 2 }, message])
  t.strictSame(places(batch.body.ids), [1, 2, 1])
  t.strictSame(await stored(t, server, 2), [message.data, 2])
})

t.test('an idempotency key that comes with something else is a conflict', async t => {
  const server = await openServer(t)
  const message = { channel: 'a', data: 1, idempotencyKey: 'order-1' }
  await publish(server, message)
  const others = [
    { ...message, data: 2 },
    { ...message, channel: 'b' },
    { ...message, ttl: 5 },
    { ...message, callback: 'show' },
    { broadcast: true, data: 1, idempotencyKey: 'order-1' },
  ]
  for (const other of others) {
    const { status, body } = await server.post('/publish', other)
    t.match(
      { status, body },
      { status: 422, body: { code: 'DOWNPIPE_IDEMPOTENCY_CONFLICT', statusCode: 422 } },
    )
  }
  const within = [
    { channel: 'a', data: 2, idempotencyKey: 'order-2' },
    { channel: 'a', data: 3, idempotencyKey: 'order-2' },
  ]
  t.match(await server.post('/publish', within), { status: 422, body: { message: /^body\[1\]: / } })
  t.strictSame(await stored(t, server, 1), [1])
})

t.test('when its window is over an idempotency key may be used again', async t => {
  const server = await openServer(t, { idempotencyWindowMs: 200 })
  const message = { channel: 'a', data: 1, idempotencyKey: 'order-1' }
  const first = await publish(server, message)
  let again = first
  await until('a second id', async () => {
    again = await publish(server, message)
    return again !== first
  })
  t.strictSame(places([first, again]), [1, 2])
})

t.test('any of the service keys is good', async t => {
  const server = await openServer(t, { serviceKeys: [serviceKey, 'the-next-service-key'] })
  for (const key of [serviceKey, 'the-next-service-key']) {
    t.match(await server.get('/cursor', { authorization: `Bearer ${key}` }), { status: 200 })
  }
})

function places(ids: unknown): number[] {
  return Array.isArray(ids) ? ids.map(id => Number(String(id).split('-')[1])) : []
}
