import { type ErrorEvent, EventSource } from 'eventsource'
import { createParser } from 'eventsource-parser'
import t, { type Test } from 'tap'
import { publish, until } from '../helpers/calls.js'
import { payloads } from '../helpers/payloads.js'
import { serviceKey, startTestServer } from '../helpers/server.js'

// Readers that nobody here wrote, so that a misunderstanding of ours is not on both sides.
t.jobs = 4

/** An EventSource that notes everything that it dispatches. */
function open(
  t: Test,
  url: string,
): { source: EventSource; seen: { type: string; data: string; id: string }[] } {
  const source = new EventSource(url)
  t.teardown(() => source.close())
  const seen: { type: string; data: string; id: string }[] = []
  for (const type of ['message', 'ready', 'gap', 'close', 'heartbeat']) {
    source.addEventListener(type, ({ data, lastEventId }) => seen.push({ type, data, id: lastEventId }))
  }
  return { source, seen }
}

t.test('eventsource-parser understands a stream that comes byte by byte', async t => {
  const server = await startTestServer({
    anonymousChannels: ['*'],
    heartbeatMs: 300,
    maxDataBytes: 2_000_000,
  })
  t.teardown(() => server.close())
  const wanted = payloads.filter(data => JSON.stringify(data).length < 1_000)
  const ids: string[] = []
  for (const data of wanted) ids.push(await publish(server, { channel: 'a', data }))
  const { body } = await fetch(`${server.url}/v1/stream?channel=a&since=0`)
  const events: { event?: string | undefined; id?: string | undefined; data: string }[] = []
  const problems: unknown[] = []
  const parser = createParser({
    onEvent: event => events.push(event),
    onError: error => problems.push(error),
    onRetry: retry => t.ok(retry >= 1_000 && retry <= 4_000),
  })
  const decoder = new TextDecoder()
  for await (const chunk of body ?? []) {
    for (const byte of chunk) parser.feed(decoder.decode(Uint8Array.of(byte), { stream: true }))
    if (events.some(({ event }) => event === 'heartbeat')) break
  }
  const messages = events.filter(({ event }) => event === undefined)
  t.strictSame(
    messages.map(({ id }) => id),
    ids,
  )
  t.strictSame(
    messages.map(({ data }) => JSON.stringify(JSON.parse(data).data)),
    wanted.map(data => JSON.stringify(data)),
  )
  t.match(events[0], { event: 'ready' })
  t.match(events.at(-1), { event: 'heartbeat', id: ids.at(-1), data: '' })
  t.strictSame(problems, [])
})

t.test('an EventSource that was cut comes back by itself, and nothing is lost or comes twice', async t => {
  const server = await startTestServer({ anonymousChannels: ['*'], streamAgeMs: 400 })
  t.teardown(() => server.close())
  await publish(server, { channel: 'a', data: 'before' })
  const { source, seen } = open(t, `${server.url}/v1/stream?channel=a&since=0`)
  const away = new Promise<void>(resolve => {
    source.addEventListener('error', () => resolve(), { once: true })
  }).then(() => publish(server, { channel: 'a', data: 'while away' }))
  const count = (type: string) => seen.filter(event => event.type === type).length
  await until('the return', () => count('ready') === 2)
  await away
  await publish(server, { channel: 'a', data: 'after' })
  await until('the last message', () => count('message') >= 3)
  const messages = seen.filter(({ type }) => type === 'message')
  t.strictSame(
    messages.map(({ data }) => JSON.parse(data).data),
    ['before', 'while away', 'after'],
  )
  t.match(JSON.parse(seen.find(({ type }) => type === 'close')?.data ?? ''), { reason: 'age' })
  t.equal(count('gap'), 0)
})

t.test('an EventSource that met a busy server comes back by itself', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.identities.set('five', { uid: '5', channels: ['a'] })
  server.cms.answer = (_token, response) => response.writeHead(503).end()
  const { source, seen } = open(t, `${server.url}/v1/stream?token=five`)
  let beginMs = 0
  source.addEventListener('error', () => {
    beginMs = performance.now()
    server.cms.answer = undefined
  })
  await until('ready', () => seen.some(({ type }) => type === 'ready'))
  const pausedMs = performance.now() - beginMs
  t.match(seen[0], { type: 'close' })
  const { reason, reconnect, retryMs } = JSON.parse(seen[0]?.data ?? '')
  t.match({ reason, reconnect }, { reason: 'busy', reconnect: true })
  t.ok(pausedMs >= retryMs - 100, `it waited ${Math.round(pausedMs)} ms of ${retryMs}`)
})

t.test('an EventSource that is refused for good does not come back', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const [query, status] of [
    ['', 401],
    ['?token=nobody', 401],
    ['?token=five&channel=b', 403],
  ] as const) {
    server.cms.identities.set('five', { uid: '5', channels: ['a'] })
    const { source } = open(t, `${server.url}/v1/stream${query}`)
    const { code } = await new Promise<ErrorEvent>(resolve => source.addEventListener('error', resolve))
    t.equal(code, status)
    t.equal(source.readyState, source.CLOSED)
  }
})

t.test('the figures are a stream that an EventSource reads', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const source = new EventSource(`${server.url}/v1/stats/stream`, {
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${serviceKey}` } }),
  })
  t.teardown(() => source.close())
  const figures: unknown[] = []
  source.addEventListener('message', ({ data }) => figures.push(JSON.parse(data)))
  await until('two of them', () => figures.length >= 2)
  t.match(figures[1], { connections: { sse: 0, poll: 0 }, uptimeMs: Number, perSecond: { messages: 0 } })
})
