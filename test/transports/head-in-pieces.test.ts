import t from 'tap'
import { publish } from '../helpers/calls.js'
import { openConnection, streamEvents } from '../helpers/raw-connection.js'
import { openServer } from '../helpers/server.js'
import { headOf, ServerSide } from '../helpers/two-ways.js'

const head = headOf('/v1/stream?channel=a')
const ready = /^event: ready\n(.+\n)*\n/m

t.test('a head that is cut in two at any place opens a stream', async t => {
  const server = await openServer(t)
  const side = new ServerSide(t)
  const clients = await Promise.all(
    Array.from({ length: head.length - 1 }, async (_, index) => {
      const client = openConnection(t, server)
      await side.send(client, head, 'split', index + 1)
      await client.until(ready)
      return client
    }),
  )
  // Whose address is not known by the first piece is for HTTP to wait for.
  const known = 'GET /v1/stream?'.length
  t.ok(clients.every((client, index) => side.isHttp(client) === index + 1 < known))
  await publish(server, { channel: 'a', data: 'for all' })
  for (const client of clients) {
    await client.until(/"for all"/)
    t.match(streamEvents(client.received), [{ event: 'ready' }, { event: 'message' }])
  }
})

t.test('a head that comes byte by byte opens a stream', async t => {
  const server = await openServer(t)
  const side = new ServerSide(t)
  const client = openConnection(t, server)
  for (let sent = 0; sent < head.length; sent++) {
    client.write(head.slice(sent, sent + 1))
    await side.hasRead(client, sent + 1)
  }
  await client.until(ready)
})

t.test('a long head opens a stream without HTTP, in as many packets as a network makes of it', async t => {
  const server = await openServer(t)
  const side = new ServerSide(t)
  const long = headOf('/v1/stream?channel=a', `Cookie: ${'x'.repeat(7_000)}`)
  const open = async (pieceBytes: number) => {
    const client = openConnection(t, server)
    await side.send(client, '', 'whole')
    for (let at = 0; at < long.length; at += pieceBytes) {
      client.write(long.slice(at, at + pieceBytes))
      await side.hasRead(client, Math.min(at + pieceBytes, long.length))
    }
    await client.until(ready)
    return side.isHttp(client)
  }
  t.equal(await open(1_448), false)
  t.equal(await open(500), true, 'in too many, HTTP waits for the rest')
})

t.test('a head that is broken off, garbled or too long is answered as HTTP answers it', async t => {
  const server = await openServer(t)
  for (const way of ['/v1/stream?channel=a', '/v1/poll?channel=a']) {
    const begin = `GET ${way} HTTP/1.1\r\nHost: x\r\n`
    for (const [rest, code] of [
      ['X-Half', 'DOWNPIPE_INVALID_REQUEST'],
      ['X-Garbled: \0\r\n\r\n', 'DOWNPIPE_INVALID_REQUEST'],
      ['X-Bare: a\nb: c\r\n\r\n', 'DOWNPIPE_INVALID_REQUEST'],
      [`X-Long: ${'x'.repeat(17_000)}\r\n\r\n`, 'DOWNPIPE_TOO_LARGE'],
    ] as const) {
      const client = openConnection(t, server)
      client.socket.end(begin + rest)
      await client.closed
      t.match(client.received, new RegExp(`^HTTP/1.1 4.. [^]*"code":"${code}"`), begin + rest.slice(0, 20))
    }
  }
})
