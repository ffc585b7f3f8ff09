import t from 'tap'
import { connected, publish, stats } from '../helpers/calls.js'
import { openApp } from '../helpers/listening-app.js'
import { PollReader } from '../helpers/poll-reader.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { SseFrames } from '../helpers/sse-frames.js'
import { SseReader } from '../helpers/sse-reader.js'

const authorization = `Bearer ${serviceKey}`

t.test('the figures say who is connected and what has happened', async t => {
  const server = await startTestServer({ anonymousChannels: ['open_*'] })
  t.teardown(() => server.close())
  server.cms.identities.set('five', { uid: '5', channels: ['a', 'b'] })
  t.match(await stats(server), {
    uptimeMs: Number,
    connections: { sse: 0, poll: 0 },
    listenedKeys: 0,
    messages: 0,
    deliveries: 0,
    connects: 0,
    outboxes: { queued: 0, overflows: 0 },
    gaps: 0,
    closed: {},
    log: { applied: /^\d+-0$/, entries: 0, bytes: 0 },
    verifier: { identities: 0, running: 0, waiting: 0, hits: 0, calls: 0, refusals: 0, failures: 0 },
    memory: { rssBytes: Number, heapUsedBytes: Number, externalBytes: Number },
    eventLoop: { meanMs: Number, p99Ms: Number, maxMs: Number },
  })
  const stream = new SseReader(server.url, { token: 'five' })
  const poll = new PollReader(server.url, { channels: ['open_1'], since: 'x' })
  t.teardown(() => {
    stream.close()
    poll.close()
  })
  await stream.next('ready')
  await poll.next('ready')
  await poll.next('gap')
  await connected(server, 2)
  const id = await publish(server, { channels: ['a', 'b'], data: 1 })
  await stream.next('message')
  await new SseReader(server.url, { token: 'nobody' }).next('refused')
  t.match(await stats(server), {
    connections: { sse: 1, poll: 1 },
    // Everybody, the user, two channels and one.
    listenedKeys: 5,
    messages: 1,
    deliveries: 1,
    gaps: 1,
    log: { applied: id, entries: 1, bytes: Number },
    verifier: { identities: 1, calls: 2, refusals: 1 },
  })
})

t.test('the figures come each second, and end with the one who reads them', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const abort = new AbortController()
  const response = await fetch(`${server.url}/v1/stats/stream`, {
    headers: { authorization },
    signal: abort.signal,
  })
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^text\/event-stream/)
  t.equal(response.headers.get('x-accel-buffering'), 'no')
  const figures: unknown[] = []
  const frames = new SseFrames(({ data }) => figures.push(data))
  for await (const chunk of response.body ?? []) {
    frames.push(chunk)
    if (figures.length === 2) break
  }
  t.match(figures, [{ uptimeMs: Number }, { uptimeMs: Number, perSecond: { deliveries: 0 } }])
  const [first, second] = figures.map(figure => Object(figure).uptimeMs)
  t.ok(second - first >= 900)
  abort.abort()
  t.equal((await server.get('/cursor', { authorization })).status, 200)
})

t.test('nobody works on figures for one who has left', async t => {
  const { url, app } = await openApp(t)
  const [site] = app.sites
  if (site === undefined) throw new Error('there is no site')
  const { control } = site
  const read = control.stats.bind(control)
  let reads = 0
  control.stats = () => {
    reads += 1
    return read()
  }
  const watch = async (figures: number) => {
    const client = new RawConnection(url)
    client.get('/v1/stats/stream', `Authorization: Bearer ${serviceKey}`)
    await client.until(new RegExp(`(^data: .*$.*?){${figures}}`, 'ms'))
    client.destroy()
  }
  for (const figures of [1, 1, 2]) await watch(figures)
  // Four that were asked for; one more if this process was held up for a second. Those who left would have had two more.
  t.ok(reads < 6, `${reads} figures`)
})

t.test('health is told to anybody, from the first moment on', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const [path, body] of [
    ['/healthz', { status: 'ok' }],
    ['/readyz', { status: 'ready' }],
  ] as const) {
    const response = await fetch(server.url + path)
    t.equal(response.status, 200)
    t.equal(response.headers.get('cache-control'), 'no-store')
    t.strictSame(await response.json(), body)
  }
})
