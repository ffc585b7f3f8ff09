import t from 'tap'
import { transportSuite } from '../conformance/transport.js'
import { connected, publish, until } from '../helpers/calls.js'
import { PollReader, poll, pollBody } from '../helpers/poll-reader.js'
import { openServer } from '../helpers/server.js'

transportSuite(t, {
  connect: (url, ask) => new PollReader(url, ask),
  expired: { event: 'refused', data: { status: 401, body: { code: 'DOWNPIPE_TOKEN_REFUSED' } } },
})

const channels = ['a']

t.test('a poll without a place, or without patience, is answered at once', async t => {
  const server = await openServer(t)
  const id = await publish(server, { channel: 'a', data: 1 })
  const answer = await poll(server.url, { channels })
  t.match(answer.headers, { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' })
  t.match(pollBody(answer), { cursor: id, messages: [], ready: { channels } })
  const { v = '' } = pollBody(answer).ready ?? {}
  t.strictSame(pollBody(await poll(server.url, { channels, since: id, query: { v, wait: '0' } })), {
    cursor: id,
    messages: [],
  })
  t.match(pollBody(await poll(server.url, { channels, since: id, query: { v: 'old' } })), { ready: { v } })
})

t.test('what is pending comes at once and all together', async t => {
  const server = await openServer(t)
  const { cursor } = pollBody(await poll(server.url, { channels }))
  const ids = []
  for (const data of [1, 2, 3]) ids.push(await publish(server, { channel: 'a', data }))
  const answer = pollBody(await poll(server.url, { channels, since: cursor ?? '' }))
  t.strictSame(
    answer.messages,
    ids.map((id, index) => ({ id, channel: 'a', data: index + 1 })),
  )
  t.equal(answer.cursor, ids.at(-1))
})

t.test('what comes in a burst is one answer', async t => {
  const server = await openServer(t)
  const { cursor, ready } = pollBody(await poll(server.url, { channels }))
  const waiting = poll(server.url, { channels, since: cursor ?? '', query: { v: ready?.v ?? '' } })
  await connected(server, 1)
  await server.post(
    '/publish',
    Array.from({ length: 10 }, (_, data) => ({ channel: 'a', data })),
  )
  t.equal(pollBody(await waiting).messages.length, 10)
})

t.test('an answer holds 256 KB but at least one message, and the next poll gets the rest', async t => {
  const server = await openServer(t, { maxDataBytes: 1_048_576 })
  const sizes = [100_000, 100_000, 100_000, 500_000, 10, 10]
  for (const size of sizes) await publish(server, { channel: 'a', data: 'x'.repeat(size) })
  const counts: number[] = []
  let since = '0'
  for (let left = sizes.length; left > 0; left -= counts.at(-1) ?? left) {
    const { messages, cursor } = pollBody(await poll(server.url, { channels, since, query: { wait: '0' } }))
    counts.push(messages.length)
    since = cursor ?? ''
  }
  t.strictSame(counts, [2, 1, 1, 2])
  t.strictSame(pollBody(await poll(server.url, { channels, since, query: { wait: '0' } })).messages, [])
})

t.test('a burst that is too large for one answer is cut where the next poll goes on', async t => {
  const server = await openServer(t)
  const { cursor, ready } = pollBody(await poll(server.url, { channels }))
  const query = { v: ready?.v ?? '' }
  const waiting = poll(server.url, { channels, since: cursor ?? '', query })
  await connected(server, 1)
  const burst = Array.from({ length: 5 }, (_, n) => ({ channel: 'a', data: `${n}${'x'.repeat(100_000)}` }))
  const { body } = await server.post('/publish', burst)
  const first = pollBody(await waiting)
  const second = pollBody(await poll(server.url, { channels, since: first.cursor ?? '', query }))
  const third = pollBody(await poll(server.url, { channels, since: second.cursor ?? '', query }))
  t.strictSame(
    [first, second, third].flatMap(({ messages }) => messages.map(({ id }) => id)),
    body.ids,
  )
  t.strictSame(
    [first, second, third].map(({ messages }) => messages.length),
    [2, 2, 1],
  )
})

t.test('when the wait runs out the place has moved on all the same', async t => {
  const server = await openServer(t, { pollWaitMs: 300 })
  const { cursor, ready } = pollBody(await poll(server.url, { channels }))
  const id = await publish(server, { channel: 'other', data: 1 })
  const waits = ['100', '0.2', ''].map(wait =>
    poll(server.url, { channels, since: cursor ?? '', query: { v: ready?.v ?? '', wait } }),
  )
  for (const answer of await Promise.all(waits)) t.strictSame(pollBody(answer), { cursor: id, messages: [] })
})

t.test('an answer’s cursor is never before the one that was given', async t => {
  const server = await openServer(t)
  const ahead = `${Date.now()}-99`
  t.match(pollBody(await poll(server.url, { channels, since: ahead, query: { wait: '0' } })), {
    cursor: ahead,
  })
})

t.test('a wait that is no number is refused', async t => {
  const server = await openServer(t)
  for (const wait of ['x', '-1', '1e3', ' 1', '0x10', '1.']) {
    const { status, body } = await poll(server.url, { channels, query: { wait } })
    t.match(
      { status, body },
      { status: 400, body: { code: 'DOWNPIPE_INVALID_REQUEST', message: /^wait: / } },
      wait,
    )
  }
})

t.test('a transient refusal says in its body, too, when to come back', async t => {
  const server = await openServer(t, { verifyRate: 0.001, verifyBurst: 1 })
  server.cms.answer = (_token, response) => response.writeHead(500).end()
  const away = await poll(server.url, { token: 'five' })
  t.match(away, { status: 503, body: { code: 'DOWNPIPE_BUSY', statusCode: 503 } })
  const tooMany = await poll(server.url, { token: 'six' })
  t.match(tooMany, { status: 429, body: { code: 'DOWNPIPE_TOO_MANY_REQUESTS', statusCode: 429 } })
  for (const { headers, body } of [away, tooMany]) {
    const { retryAfter } = Object(body)
    t.ok(retryAfter >= 2 && retryAfter <= 6)
    t.equal(headers['retry-after'], String(retryAfter))
    t.equal(headers['cache-control'], 'no-store')
  }
})

t.test('a poller who leaves, or left while the token was verified, is waited for no longer', async t => {
  const server = await openServer(t)
  const { cursor, ready } = pollBody(await poll(server.url, { channels }))
  const query = { v: ready?.v ?? '' }
  const leaving = new PollReader(server.url, { channels, since: cursor ?? '', query })
  await connected(server, 1)
  leaving.close()
  await connected(server, 0)

  const answers: (() => void)[] = []
  server.cms.answer = (_token, response) => answers.push(() => response.end('{"uid":"5"}'))
  const early = new PollReader(server.url, { token: 'five', since: cursor ?? '' })
  await until('the question', () => answers.length === 1)
  early.close()
  const other = poll(server.url, { token: 'five', query: { wait: '0' } })
  answers[0]?.()
  t.match(pollBody(await other), { ready: { uid: '5' } })
  await connected(server, 0)
})
