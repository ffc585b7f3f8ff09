import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { pathIn, readHead } from '../../src/transports/request-head.js'
import { heapBytes } from '../helpers/heap.js'
import { listen, shut } from '../helpers/listening.js'
import { effort, seed } from '../helpers/seed.js'

const host = 'Host: downpipe.test\r\n'

function read(text: string): ReturnType<typeof readHead> {
  return readHead(Buffer.from(text, 'latin1'))
}

t.test('the head of a plain GET is read, as far as a stream needs it', async t => {
  const browser =
    'GET /v1/stream?token=a%20b&channel=%C3%BC HTTP/1.1\r\nHost: push.example:8080\r\nConnection: keep-alive\r\n' +
    'sec-ch-ua: "Chromium";v="130"\r\nAccept: text/event-stream\r\nUser-Agent: Mozilla/5.0 (X11)\r\n' +
    'Origin: https://www.example\r\nCookie: a=1; b="2"\r\nLast-Event-ID: 5-5\r\nX-Empty:\r\n\r\n'
  t.strictSame(read(browser), {
    url: '/v1/stream?token=a%20b&channel=%C3%BC',
    headers: {
      host: 'push.example:8080',
      'user-agent': 'Mozilla/5.0 (X11)',
      origin: 'https://www.example',
      cookie: 'a=1; b="2"',
      'last-event-id': '5-5',
    },
  })
  t.strictSame(read('GET / HTTP/1.0\r\n\r\n'), { url: '/', headers: {} })
  t.match(read(`GET / HTTP/1.1\r\n${host}origin: \t a\tb \t\r\n\r\n`), { headers: { origin: 'a\tb' } })
  t.match(read(`GET / HTTP/1.1\r\n${host}X: ü\r\nx: 2\r\n\r\n`), { url: '/' }, 'what is not read may be odd')
})

t.test('what is anything else, or the least odd, is left to HTTP', async t => {
  for (const text of [
    `GET / HTTP/1.1\r\n${host}\r\nG`,
    `GET / HTTP/1.1\r\n${host}\r\nGET / HTTP/1.1\r\n${host}\r\n`,
    `\r\nGET / HTTP/1.1\r\n${host}\r\n`,
    'GET / HTTP/1.1\r\n\r\n',
    `GET / HTTP/1.2\r\n${host}\r\n`,
    `GET / HTTP/2.0\r\n${host}\r\n`,
    `GET / http/1.1\r\n${host}\r\n`,
    `GET /  HTTP/1.1\r\n${host}\r\n`,
    `GET  / HTTP/1.1\r\n${host}\r\n`,
    `GET\t/ HTTP/1.1\r\n${host}\r\n`,
    `GET /a b HTTP/1.1\r\n${host}\r\n`,
    `GET /a\tb HTTP/1.1\r\n${host}\r\n`,
    `GET /ü HTTP/1.1\r\n${host}\r\n`,
    `GET /#a HTTP/1.1\r\n${host}\r\n`,
    `GET * HTTP/1.1\r\n${host}\r\n`,
    `GET http://downpipe.test/ HTTP/1.1\r\n${host}\r\n`,
    `HEAD / HTTP/1.1\r\n${host}\r\n`,
    `POST / HTTP/1.1\r\n${host}\r\n`,
    `get / HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\n${host}\n`,
    `GET / HTTP/1.1\r\nHost: a\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A: a\rb\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A: a\nB: b\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A: a\r\n b\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A : a\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host} A: a\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A: \0\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}A: \x7f\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Cookie: ü\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}Cookie: a\r\ncookie: b\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Origin:\r\nOrigin: b\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Upgrade: websocket\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}EXPECT: 100-continue\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(16_384)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(16_384)}`,
    'GET / HTTP/1.1\nHost: a',
    'GET / HTTP/1.1\r\n\nHost: a',
    'GET / HTTP/1.1\r\nHost: a\rb',
    '\r\nGET',
  ]) {
    t.equal(read(text), undefined, JSON.stringify(text.slice(0, 80)))
  }
})

t.test('the beginning of a head may become one, wherever it ends', async t => {
  const text = `GET /v1/stream HTTP/1.1\r\n${host}Origin: https://www.example\r\n\r\n`
  for (let end = 0; end < text.length; end++)
    t.equal(read(text.slice(0, end)), 'unfinished', text.slice(0, end))
})

t.test('a path is read once it is there in full', async t => {
  const path = (text: string) => pathIn(Buffer.from(text))
  t.equal(path('GET /v1/stream?tok'), '/v1/stream')
  t.equal(path('GET /v1/stream '), '/v1/stream')
  const longest = `/sites/${'x'.repeat(63)}/v1/stream`
  t.equal(path(`GET ${longest}?${'x'.repeat(9_000)}`), longest)
  for (const text of [
    '',
    'GET ',
    'GET /v1/stream',
    'POST /v1/stream ',
    'GET v1/stream ',
    'get /v1/stream ',
  ]) {
    t.equal(path(text), undefined, text)
  }
})

/** What Node makes of the bytes: the one request that is in them; undefined: none, or more. */
async function nodeReads(port: number, requests: IncomingMessage[], bytes: Buffer): Promise<unknown> {
  const socket = connect(port, '127.0.0.1')
  await new Promise(resolve => {
    socket.on('error', () => {})
    socket.on('close', resolve)
    socket.end(bytes)
    socket.resume()
  })
  const found = requests.splice(0)
  return found.length === 1 ? found[0] : undefined
}

const words = fc.constantFrom(
  'GET',
  ' ',
  '/v1/stream',
  '?a=1',
  'HTTP/1.1',
  'HTTP/1.0',
  '\r\n',
  '\r',
  '\n',
  ':',
)
const names = fc.constantFrom('host', 'Cookie', 'ORIGIN', 'user-agent', 'X-Other', 'x-forwarded-for', 'te')
/** Texts of bytes from … to. */
const textOf = (min: number, max: number, maxLength: number) =>
  fc.string({ unit: fc.integer({ min, max }).map(byte => String.fromCharCode(byte)), maxLength })

const values = fc.oneof(textOf(0x20, 0x7e, 12), textOf(0x20, 0xff, 4), fc.constantFrom('\t', ' \t a\tb \t '))
const line = fc.tuple(names, values).map(([name, value]) => `${name}:${value}\r\n`)
const url = textOf(0x21, 0x7e, 12).map(rest => `/${rest}`)
const plain = fc
  .tuple(url, fc.array(line, { maxLength: 5 }))
  .map(([url, lines]) => `GET ${url} HTTP/1.1\r\n${host}${lines.join('')}\r\n`)
const piece = fc.oneof(words, names, textOf(0, 0xff, 1))
const bent = fc
  .tuple(plain, fc.array(fc.tuple(fc.nat(), fc.nat(3), piece), { maxLength: 3 }))
  .map(([text, edits]) => {
    let result = text
    for (const [at, length, put] of edits) {
      const from = at % result.length
      result = result.slice(0, from) + put + result.slice(from + length)
    }
    return result
  })

t.test('whatever is read, Node reads the same in it', async t => {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    response.end()
  })
  const port = await listen(server)
  t.teardown(() => shut(server))
  let read = 0
  const property = fc.asyncProperty(fc.oneof(plain, bent), async text => {
    const bytes = Buffer.from(text, 'latin1')
    const head = readHead(bytes)
    if (head === undefined || head === 'unfinished') return
    read += 1
    const request = await nodeReads(port, requests, bytes)
    t.match(request, { method: 'GET', url: head.url }, JSON.stringify(text))
    const { headers } = request as { headers: IncomingHttpHeaders }
    const wanted = ['host', 'cookie', 'origin', 'user-agent', 'x-forwarded-for', 'authorization']
    const of = (all: IncomingHttpHeaders) => wanted.map(name => all[name])
    t.strictSame(of(head.headers), of(headers), JSON.stringify(text))
    if (!t.passing()) throw new Error(`seed ${seed}`)
  })
  await fc.assert(property, { seed, numRuns: 600 * effort, endOnFailure: true })
  t.ok(read > 50, `${read} heads were read`)
})

t.test('what is kept of a head does not keep the rest of it', async t => {
  const padding = 'x'.repeat(12_000)
  const heads = Array.from({ length: 500 }, (_, n) =>
    Buffer.from(
      `GET /v1/stream?token=${n} HTTP/1.1\r\n${host}X: ${padding}\r\nUser-Agent: browser ${n}\r\n\r\n`,
    ),
  )
  const before = await heapBytes()
  const kept = heads.map(bytes => readHead(bytes))
  const grown = (await heapBytes()) - before
  t.equal(kept.filter(head => head !== undefined).length, 500)
  t.ok(grown / 500 < 2_000, `${Math.round(grown / 500)} bytes each`)
})
