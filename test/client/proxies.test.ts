import { once } from 'node:events'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { startProxy, type TestProxy } from '../helpers/proxy.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { startTestServer } from '../helpers/server.js'
import { streamCases } from '../helpers/stream-cases.js'
import { prepareBrowser } from './browser.js'

/** What stands between a page and a server: the proxy that tests put there, and what others do to a stream. */

const visit = await prepareBrowser(t)

async function prepare(t: Test, retryMs?: number) {
  const server = await startTestServer({ anonymousChannels: ['a'] })
  t.teardown(() => server.close())
  const proxy = await startProxy(t, server.url, retryMs)
  return { server, proxy }
}

function ask(t: Test, proxy: TestProxy, path: string): RawConnection {
  const connection = new RawConnection(proxy.url)
  t.teardown(() => connection.destroy())
  connection.get(path)
  return connection
}

const streamPath = '/v1/stream?channel=a'
const poll = '/v1/poll?channel=a&wait=0'
const message = { channel: 'a', data: 'hello' }

t.test('it passes streams and polls on, and tells which were asked for', async t => {
  const { server, proxy } = await prepare(t, 5)
  const reader = ask(t, proxy, streamPath)
  t.match(await reader.until(/event: ready/), /\nretry: 0005\n/)
  await server.post('/publish', message)
  await reader.until(/"hello"/)
  t.match(await fetch(proxy.url + poll), { status: 200 })
  t.match(proxy.requests, [
    { method: 'GET', path: '/v1/stream' },
    { path: '/v1/poll', query: new URLSearchParams('channel=a&wait=0') },
  ])
  t.equal(proxy.open(/stream$/), 1)
})

t.test('muted, the connection stays and nothing comes, not even afterwards; what is new passes', async t => {
  const { server, proxy } = await prepare(t)
  const reader = ask(t, proxy, streamPath)
  const before = await reader.until(/event: ready[\s\S]*\n\n/)
  proxy.set('mute', /stream$/)
  await server.post('/publish', message)
  t.match(await fetch(proxy.url + poll), { status: 200 }, 'other paths pass')
  proxy.set('pass')
  const other = ask(t, proxy, `${streamPath}&since=0`)
  await other.until(/"hello"/)
  await server.post('/publish', { ...message, data: 'later' })
  await other.until(/"later"/)
  t.equal(reader.received, before)
  t.notOk(reader.socket.destroyed)
})

t.test('it holds answers until there is enough of them, or their end', async t => {
  const { server, proxy } = await prepare(t)
  proxy.set({ buffer: 10_000 })
  const reader = ask(t, proxy, streamPath)
  t.match(await fetch(proxy.url + poll), { status: 200 }, 'a poll has an end')
  await server.post('/publish', message)
  t.equal(reader.received, '')
  await server.post('/publish', { ...message, data: 'x'.repeat(10_000) })
  t.match(await reader.until(/xxx"/), /event: ready[\s\S]*"hello"/)
  await server.post('/publish', { ...message, data: 'more' })
  const direct = new RawConnection(server.url)
  t.teardown(() => direct.destroy())
  direct.get(`${streamPath}&since=0`)
  await direct.until(/more/)
  t.notMatch(reader.received, /more/)
  proxy.set('pass')
  await reader.until(/more/)
})

t.test('it delays, in order', async t => {
  const { server, proxy } = await prepare(t)
  proxy.set({ delayMs: 300 })
  const startMs = performance.now()
  const reader = ask(t, proxy, streamPath)
  await reader.until(/event: ready/)
  t.ok(performance.now() - startMs >= 299)
  for (let data = 1; data <= 3; data++) await server.post('/publish', { ...message, data })
  t.match(await reader.until(/"data":3/), /"data":1[\s\S]*"data":2[\s\S]*"data":3/)
})

t.test('it cuts after so many bytes, at once, and when it is told to; it counts', async t => {
  const { proxy } = await prepare(t)
  proxy.set(() => ({ cutAfter: 30 }))
  const short = ask(t, proxy, streamPath)
  await short.closed
  t.equal(short.received.length, 30)
  proxy.set({ cutAfter: 0 })
  const none = ask(t, proxy, streamPath)
  await none.closed
  t.equal(none.received, '')
  proxy.set('pass')
  const reader = ask(t, proxy, streamPath)
  await reader.until(/event: ready/)
  proxy.cut(/poll$/)
  t.notOk(reader.socket.destroyed)
  proxy.cut()
  await reader.closed
  t.equal(proxy.cuts, 3)
})

t.test('it answers 502, and what was under way goes on', async t => {
  const { server, proxy } = await prepare(t)
  const reader = ask(t, proxy, streamPath)
  await reader.until(/event: ready/)
  proxy.set('refuse')
  const answer = await fetch(proxy.url + poll)
  t.equal(answer.status, 502)
  t.equal(await answer.text(), '<h1>Bad Gateway</h1>')
  await server.post('/publish', message)
  await reader.until(/"hello"/)
})

t.test('it goes to another server, and cuts where there is none', async t => {
  const { server, proxy } = await prepare(t)
  await server.close()
  await t.rejects(fetch(proxy.url + poll))
  const other = createServer((_request, response) => response.end('other')).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const address = other.address()
  proxy.retarget(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
  t.equal(await (await fetch(proxy.url + poll)).text(), 'other')
})

const ready = '{"uid":"5","channels":["a"],"heartbeat":25,"v":"v1","presence":[],"refused":[]}'
const frames = [
  'retry: 20',
  `event: ready\nid: 1-1\ndata: ${ready}`,
  'id: 1-2\ndata: {"channel":"a","data":"ok… 😀"}',
  'data: {"data":"no id"}',
  'event: heartbeat\nid: 1-9\ndata:',
  'id: 1-10\ndata: {"channel":"a",\ndata: "data":"two lines"}',
]
const stream = frames.map(frame => `${frame}\n\n`).join('')

for (const [name, text] of [
  ['a byte order mark in front', `\ufeff${stream}`],
  ['CRLF for LF', stream.replaceAll('\n', '\r\n')],
  ['CR for LF', stream.replaceAll('\n', '\r')],
  ['comments everywhere', stream.replace(/^(?=.)/gm, `:${'x'.repeat(100)}\n: data: {}\r`)],
  [
    'no spaces, and unknown fields',
    stream.replaceAll(': ', ':').replaceAll('\n\n', '\nfoobar: x\n data: {\nx\n\n'),
  ],
  ['empty lines', stream.replaceAll('\n\n', '\n\n\n\r\n\r')],
  ['fields that do not count', stream.replaceAll('id: ', 'id: x\0\nretry: 1x\nid: ')],
  ['an event that the end cuts off', `${stream}id: 1-11\ndata: {"data":"half"}\n`],
] as const) {
  t.test(`a stream comes through a proxy that makes small pieces of it and adds ${name}`, async t => {
    const { server, page, said, console, uncaught } = await visit(t)
    await page.evaluate(() => {
      window.Downpipe.connect('', {
        onmessage: (data, { id = '' }) => window.say(data, id),
        onready: ({ v }) => window.say(v),
      })
    })
    const call = await server.streams.next('a stream')
    const bytes = Buffer.from(text)
    for (let from = 0; from < bytes.length; from += 7) {
      call.raw(bytes.subarray(from, from + 7))
      await new Promise(setImmediate)
    }
    t.strictSame(await said.next('ready'), ['v1'])
    t.strictSame(await said.next('the first message'), ['ok… 😀', '1-2'])
    t.strictSame(await said.next('the second message'), ['no id', ''])
    t.strictSame(await said.next('the third message'), ['two lines', '1-10'])
    call.cut()
    const second = await server.streams.next('a second stream')
    t.equal(second.headers['last-event-id'] ?? second.query.get('since'), '1-10')
    t.strictSame([...said.rest, ...console, ...uncaught.rest], [])
  })
}

t.test('frames that are not the push server’s are passed over, and those behind them come', async t => {
  const { server, page, said, console, uncaught } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onmessage: (data, { id }) => window.say(data, id) })
  })
  const call = await server.streams.next('a stream')
  call.ready('1-1', ['a'])
  const others = [
    'data: null\n\n',
    'data: "text"\n\n',
    'data: {\n\n',
    'event: gap\ndata: x\n\n',
    'event: close\ndata: x\n\n',
  ]
  const texts = [...streamCases.map(({ text }) => text.replace('\ufeff', '')), ...others]
  for (const [index, text] of texts.entries()) {
    // Theirs would take its time.
    call.raw(`${text}\n\nretry: 20\nid: 1-${index + 2}\ndata: {"channel":"a","data":${index}}\n\n`)
    t.strictSame(await said.next(text), [index, `1-${index + 2}`], JSON.stringify(text.slice(0, 40)))
  }
  call.cut()
  const second = await server.streams.next('a second stream')
  t.equal(second.headers['last-event-id'] ?? second.query.get('since'), `1-${texts.length + 1}`)
  t.strictSame([...said.rest, ...console, ...uncaught.rest], [])
})
