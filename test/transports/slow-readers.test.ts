import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { connected, publish, stats, until } from '../helpers/calls.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

t.jobs = 3

/** A message that sockets cannot swallow many of. */
const filler = 'x'.repeat(200_000)

/** More than the system holds for a connection that nobody reads. */
const flood = 60

async function openServer(t: Test, more: Partial<Config> = {}): Promise<TestServer> {
  const server = await startTestServer({ anonymousChannels: ['*'], outboxBytes: 256 * 1024, ...more })
  t.teardown(() => server.close())
  return server
}

function openStream(t: Test, server: TestServer): SseReader {
  const reader = new SseReader(server.url, { channels: ['a'] })
  t.teardown(() => reader.close())
  return reader
}

async function publishNumbered(server: TestServer, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) await publish(server, { channel: 'a', data: { n, filler } })
}

async function numbers(reader: SseReader, count: number): Promise<unknown[]> {
  return (await reader.messages(count)).map(data => Object(data).n)
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

t.test('who stops reading and reads again has everything, in order, on the same connection', async t => {
  const server = await openServer(t)
  const slow = openStream(t, server)
  const quick = openStream(t, server)
  await slow.next('ready')
  await quick.next('ready')
  const response = await slow.head
  response.pause()
  await publishNumbered(server, flood)
  t.strictSame(await numbers(quick, flood), upTo(flood), 'nobody waits for the slow one')
  t.ok((await stats(server)).outboxes.overflows > 0, 'its outbox overflowed')
  response.resume()
  t.strictSame(await numbers(slow, flood), upTo(flood))
  await publish(server, { channel: 'a', data: { n: 'live' } })
  t.strictSame(await numbers(slow, 1), ['live'])
  t.match(await stats(server), { connects: 2, gaps: 0, closed: {} })
})

t.test('who reads again when the window has moved on is told of the gap, and goes on', async t => {
  const server = await openServer(t, { windowBytes: 1_000_000 })
  const slow = openStream(t, server)
  await slow.next('ready')
  const response = await slow.head
  response.pause()
  await publishNumbered(server, flood)
  response.resume()
  const got: unknown[] = []
  let event = await slow.next()
  for (; event.event === 'message'; event = await slow.next()) got.push(Object(event.data).data.n)
  t.match(event, { event: 'gap', data: { reason: 'old', initial: false } })
  t.strictSame(got, upTo(got.length), 'what came before it came in order')
  t.ok(got.length < flood)
  await publish(server, { channel: 'a', data: { n: 'live' } })
  t.strictSame(await numbers(slow, 1), ['live'])
})

// By itself: what others hold would count.
t.test('those who do not read cost no memory beyond their outbox', { buffered: false }, async t => {
  const server = await openServer(t, { windowBytes: 1_000_000 })
  const readers = Array.from({ length: 10 }, () => openStream(t, server))
  for (const reader of readers) {
    await reader.next('ready')
    const response = await reader.head
    response.pause()
  }
  const before = bufferBytes()
  const published = 200
  await publishNumbered(server, published)
  // The window, and for each reader what its outbox may hold and the message that made it overflow.
  const allowed = 1_000_000 + readers.length * 2 * (256 * 1024 + filler.length)
  t.ok(allowed < (published * filler.length) / 3)
  // Buffers are given back some time after the garbage was collected.
  await until('the memory', () => bufferBytes() - before < allowed)
})

t.test('who makes no progress for too long is closed as slow, and told so if it still reads', async t => {
  const server = await openServer(t, { slowAfterMs: 1_000 })
  const slow = openStream(t, server)
  await slow.next('ready')
  const response = await slow.head
  response.pause()
  await publishNumbered(server, flood)
  await until('the close', async () => (await stats(server)).closed.slow === 1)
  await connected(server, 0)
  response.resume()
  let event = await slow.next()
  while (event.event === 'message') event = await slow.next()
  t.match(event, { event: 'close', data: { reason: 'slow', reconnect: true } })
  await slow.next('end')
})

t.test('a connection that nobody reads is cut in the end, or one that is read a byte at a time', async t => {
  const cases = ['/v1/stream', '/v1/poll'].flatMap(path => [0, 1].map(bytes => ({ path, bytes })))
  const cut = async ({ path, bytes }: { path: string; bytes: number }) => {
    const server = await openServer(t, {
      slowAfterMs: 300,
      connectionsPerAddress: 1,
      maxDataBytes: 16_000_000,
      outboxBytes: 16_000_000,
      maxBodyBytes: 32_000_000,
    })
    await publish(server, { channel: 'a', data: 'x'.repeat(15_000_000) })
    const client = new RawConnection(server.url)
    client.socket.removeAllListeners('data').pause()
    client.get(`${path}?channel=a&since=0`)
    const reading = setInterval(() => client.socket.read(bytes), 20)
    t.teardown(() => {
      clearInterval(reading)
      client.destroy()
    })
    await until('the subscriber', async () => (await stats(server)).connects === 1)
    await until('its place', async () => (await openStream(t, server).next()).event === 'ready')
    t.pass(`${path}, ${bytes} bytes at a time`)
  }
  await Promise.all(cases.map(cut))
})

/** Bytes that buffers hold, garbage excluded. */
function bufferBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  return process.memoryUsage().arrayBuffers
}
