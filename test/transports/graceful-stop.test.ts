import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { connected, until } from '../helpers/calls.js'
import { PollReader } from '../helpers/poll-reader.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

t.jobs = 4

/** A server; ending it is what the tests are about, and harmless when repeated. */
async function openServer(t: Test, more: Partial<Config> = {}): Promise<TestServer> {
  const server = await startTestServer({ anonymousChannels: ['*'], drainTimeoutMs: 15_000, ...more })
  t.teardown(() => server.close())
  return server
}

const channels = ['a']

t.test('every stream is asked to come back, each at its own time', async t => {
  const server = await openServer(t, { reconnectRate: 10 })
  const readers = Array.from({ length: 40 }, () => new SseReader(server.url, { channels }))
  for (const reader of readers) await reader.next('ready')
  const closing = server.close()
  const pauses: number[] = []
  for (const reader of readers) {
    const { data } = await reader.next('close')
    t.match(data, { reason: 'shutdown', reconnect: true, retryMs: Number })
    pauses.push(Object(data).retryMs)
    await reader.next('end')
  }
  await closing
  const [least, most] = [Math.min(...pauses), Math.max(...pauses)]
  t.ok(least >= 0 && most <= 4_000, '40 streams at 10 a second are 4 seconds')
  t.ok(most - least > 1_000 && new Set(pauses).size > 20, 'spread over them')
})

t.test('polls that wait are answered', async t => {
  const server = await openServer(t)
  const reader = new PollReader(server.url, { channels })
  await reader.next('ready')
  await connected(server, 1)
  await Promise.all([server.close(), reader.next('close')]).then(([, { data }]) =>
    t.match(data, { reason: 'shutdown', reconnect: true, retryMs: Number }),
  )
  await reader.next('end')
})

t.test('a publisher whose request is half there is still served', async t => {
  const server = await openServer(t)
  const publisher = new RawConnection(server.url)
  const body = '{"channel":"a","data":1}'
  publisher.write(
    'POST /v1/publish HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${serviceKey}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body.slice(0, 10),
  )
  // The server has begun with it when it answers what came behind on another connection.
  await publisher.opened
  await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })
  const closing = server.close()
  publisher.write(body.slice(10))
  t.match(await publisher.until(/\{"id":"\d+-1"\}$/), /^HTTP\/1\.1 200 OK/)
  await closing
  await publisher.closed
})

t.test('who asks while the server goes away is told to come back', async t => {
  const server = await openServer(t)
  const requests = [
    {
      path: '/v1/stream?channel=a',
      answer: /^HTTP\/1\.1 200 OK.*event: close\ndata: \{"reason":"busy","reconnect":true/s,
    },
    { path: '/v1/poll?channel=a', answer: /^HTTP\/1\.1 503 .*retry-after: \d.*"code":"DOWNPIPE_BUSY"/is },
    { path: '/readyz', answer: /^HTTP\/1\.1 503 / },
    { path: '/healthz', answer: /^HTTP\/1\.1 200 / },
  ].map(({ path, answer }) => {
    const client = new RawConnection(server.url)
    // Not whole yet, so that the connection is not idle and outlives the beginning of the end.
    client.write(`GET ${path} HTTP/1.1`, 'Host: x', '')
    return { client, answer }
  })
  for (const { client } of requests) await client.opened
  await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })
  const closing = server.close()
  for (const { client, answer } of requests) {
    client.write('', '')
    await client.closed
    t.match(client.received, answer)
    t.match(client.received, /^connection: close\r$/im)
  }
  await closing
  await t.rejects(fetch(`${server.url}/healthz`), 'nobody listens any more')
})

t.test('who is being verified when the server begins to go away is not let in', async t => {
  const server = await openServer(t)
  const answers: (() => void)[] = []
  server.cms.answer = (_token, response) => answers.push(() => response.end('{"uid":"5"}'))
  const stream = new SseReader(server.url, { token: 'five' })
  const poll = new PollReader(server.url, { token: 'six', since: '0' })
  await until('the questions', () => answers.length === 2)
  const closing = server.close()
  for (const answer of answers) answer()
  t.match((await stream.next('close')).data, { reason: 'busy', reconnect: true })
  t.match((await poll.next('refused')).data, { status: 503, body: { code: 'DOWNPIPE_BUSY' } })
  await closing
})

t.test('who does not finish is cut off when the time is up', async t => {
  const server = await openServer(t, { drainTimeoutMs: 500 })
  const waiting = new RawConnection(server.url)
  waiting.write('POST /v1/publish HTTP/1.1', 'Host: x', '')
  await waiting.opened
  const deaf = new SseReader(server.url, { channels })
  await deaf.next('ready')
  const response = await deaf.head
  response.pause()
  for (let n = 0; n < 40; n++) await server.post('/publish', { channel: 'a', data: 'x'.repeat(200_000) })
  const beginMs = performance.now()
  await server.close()
  const tookMs = performance.now() - beginMs
  t.ok(tookMs >= 450 && tookMs < 10_000, `it took ${Math.round(tookMs)} ms`)
  await waiting.closed
  deaf.close()
})

t.test('a connection that was only opened, as browsers do in advance, keeps nobody waiting', async t => {
  const server = await openServer(t)
  const unused = new RawConnection(server.url)
  await unused.opened
  await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })
  const beginMs = performance.now()
  await server.close()
  t.ok(performance.now() - beginMs < 10_000)
  await unused.closed
})

t.test('figures that are streamed end with the server', async t => {
  const server = await openServer(t)
  const response = await fetch(`${server.url}/v1/stats/stream`, {
    headers: { authorization: `Bearer ${serviceKey}` },
  })
  const reading = response.text()
  await server.close()
  t.match(await reading, /^retry: \d+\n|data: \{/)
})
