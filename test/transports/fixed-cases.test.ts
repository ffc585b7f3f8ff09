import t from 'tap'
import { connected, publish, stats } from '../helpers/calls.js'
import { PollReader, poll, pollBody } from '../helpers/poll-reader.js'
import { openConnection, type RawConnection, streamEvents } from '../helpers/raw-connection.js'
import { openServer, serviceKey } from '../helpers/server.js'

t.jobs = 4

const ready = /^event: ready$/m

t.test('an HTTP/1.0 client reads a stream that nothing but frames is in', async t => {
  const server = await openServer(t)
  const client = openConnection(t, server)
  client.write('GET /v1/stream?channel=a HTTP/1.0', '', '')
  const head = await client.until(ready)
  t.match(head, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(head, /^connection: close\r$/im)
  t.notMatch(head, /^(transfer-encoding|content-length|keep-alive):/im)
  await publish(server, { channel: 'a', data: 'Grüße' })
  await client.until(/Grüße.*\n\n/)
  t.match(streamEvents(client.received), [{ event: 'ready' }, { event: 'message', data: { data: 'Grüße' } }])
})

t.test('an HTTP/1.0 client polls, and its connection ends with the answer', async t => {
  const server = await openServer(t)
  const client = openConnection(t, server)
  client.write('GET /v1/poll?channel=a HTTP/1.0', '', '')
  await client.closed
  t.match(client.received, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\{"cursor":".*\}$/s)
  t.notMatch(client.received, /transfer-encoding/i)
})

t.test(
  'a stream on HTTP/1.1 is ended by its connection, also when the client wants to keep that',
  async t => {
    const server = await openServer(t)
    const client = openConnection(t, server)
    client.get('/v1/stream?channel=a', 'Connection: keep-alive')
    const head = await client.until(ready)
    t.match(head, /^connection: close\r$/im)
    t.notMatch(head, /^(transfer-encoding|content-length|keep-alive):/im)
  },
)

t.test(
  'a request behind an open stream ends the connection, and nothing of an answer is written',
  async t => {
    const server = await openServer(t)
    for (const path of ['/healthz', '/v1/poll?channel=a&wait=0', '/v1/stream?channel=a']) {
      const client = openConnection(t, server)
      client.get('/v1/stream?channel=a')
      await client.until(ready)
      client.get(path)
      await client.closed
      t.strictSame(
        streamEvents(client.received).map(({ event }) => event),
        ['ready'],
        path,
      )
      t.equal(client.received.match(/HTTP\/1\.1/g)?.length, 1)
    }
    await connected(server, 0)
  },
)

t.test(
  'a request that comes in one packet with that of a stream is not answered into the stream',
  async t => {
    const server = await openServer(t)
    for (const path of ['/healthz', '/v1/poll?channel=a&wait=0', '/v1/stream?channel=a']) {
      const client = openConnection(t, server)
      client.write(
        'GET /v1/stream?channel=a HTTP/1.1',
        'Host: x',
        '',
        `GET ${path} HTTP/1.1`,
        'Host: x',
        '',
        '',
      )
      await client.until(ready)
      await publish(server, { channel: 'a', data: path })
      await Promise.race([client.closed, client.until(/"data":/)])
      t.equal(streamEvents(client.received)[0]?.event, 'ready', path)
      t.equal(client.received.match(/HTTP\/1\.1/g)?.length, 1)
      client.destroy()
      await connected(server, 0)
    }
  },
)

t.test('a stream cannot be asked for behind another request', async t => {
  const server = await openServer(t)
  const client = openConnection(t, server)
  client.write('GET /healthz HTTP/1.1', 'Host: x', '', 'GET /v1/stream?channel=a HTTP/1.1', 'Host: x', '', '')
  await client.until(/DOWNPIPE_PIPELINED/)
  t.match(client.received, /^HTTP\/1\.1 200 OK\r\n.*HTTP\/1\.1 400 Bad Request\r\n/s)
  t.match(await stats(server), { connects: 0 })
})

t.test('bytes that are no request, sent into a stream, end it without an answer', async t => {
  const server = await openServer(t)
  for (const garbage of ['\u0000\u0001\u0002', 'hello there\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '{}']) {
    const client = openConnection(t, server)
    client.get('/v1/stream?channel=a')
    await client.until(ready)
    client.write(garbage)
    await client.closed
    t.strictSame(
      streamEvents(client.received).map(({ event }) => event),
      ['ready'],
      JSON.stringify(garbage),
    )
  }
  await connected(server, 0)
})

t.test('HEAD subscribes nobody', async t => {
  const server = await openServer(t)
  for (const path of ['/v1/stream?channel=a', '/v1/poll?channel=a']) {
    const { status } = await fetch(server.url + path, { method: 'HEAD' })
    t.equal(status, 404, path)
  }
  t.match(await stats(server), { connects: 0 })
})

t.test('half a request is waited for only so long', async t => {
  const server = await openServer(t, { requestTimeoutMs: 300 })
  const halves = [
    ['GET /v1/stream?channel=a HTTP/1.1', 'Host: x', ''],
    [
      'POST /v1/publish HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${serviceKey}`,
      'Content-Type: application/json',
      'Content-Length: 100',
      '',
      '{"cha',
    ],
    ['G'],
  ]
  const beginMs = performance.now()
  const clients = halves.map(half => {
    const client = openConnection(t, server)
    client.write(...half)
    return client
  })
  const silent = openConnection(t, server)
  for (const client of clients) {
    await client.closed
    t.match(client.received, /^HTTP\/1\.1 408 Request Timeout\r\n.*"code":"DOWNPIPE_REQUEST_TIMEOUT"/s)
    t.match(client.received, /^connection: close\r$/im)
  }
  await silent.closed
  t.ok(performance.now() - beginMs < 9_000, 'in time')
})

t.test('a client that leaves, in whatever way, frees everything', async t => {
  const server = await openServer(t)
  const ways = [
    (client: RawConnection) => client.socket.end(),
    (client: RawConnection) => client.socket.destroy(),
    (client: RawConnection) => client.socket.resetAndDestroy(),
  ]
  const { cursor, ready } = pollBody(await poll(server.url, { channels: ['a'] }))
  const paths = ['/v1/stream?channel=a', `/v1/poll?channel=a&since=${cursor}&v=${ready?.v}`]
  const clients = []
  for (const path of paths) {
    for (const leave of ways) {
      const client = openConnection(t, server)
      client.get(path)
      clients.push({ client, leave })
    }
  }
  await connected(server, 6)
  for (const { client, leave } of clients) leave(client)
  await connected(server, 0)
  t.match(await stats(server), { listenedKeys: 0, outboxes: { queued: 0 } })
})

t.test('a connection that polls again and again collects no listeners', async t => {
  const server = await openServer(t)
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  const reader = new PollReader(server.url, { channels: ['a'], since: '0' })
  t.teardown(() => reader.close())
  await reader.next('ready')
  for (let data = 0; data < 50; data++) {
    await publish(server, { channel: 'a', data })
    t.strictSame(await reader.messages(1), [data])
  }
  t.strictSame(warnings, [])
})
