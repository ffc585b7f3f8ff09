import { once } from 'node:events'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { startProxy, type TestProxy } from '../helpers/proxy.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { startTestServer } from '../helpers/server.js'

/** The proxy that the tests of the browser script trust. */

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

const stream = '/v1/stream?channel=a'
const poll = '/v1/poll?channel=a&wait=0'
const message = { channel: 'a', data: 'hello' }

t.test('it passes streams and polls on, and tells which were asked for', async t => {
  const { server, proxy } = await prepare(t, 5)
  const reader = ask(t, proxy, stream)
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
  const reader = ask(t, proxy, stream)
  const before = await reader.until(/event: ready[\s\S]*\n\n/)
  proxy.set('mute', /stream$/)
  await server.post('/publish', message)
  t.match(await fetch(proxy.url + poll), { status: 200 }, 'other paths pass')
  proxy.set('pass')
  const other = ask(t, proxy, `${stream}&since=0`)
  await other.until(/"hello"/)
  await server.post('/publish', { ...message, data: 'later' })
  await other.until(/"later"/)
  t.equal(reader.received, before)
  t.notOk(reader.socket.destroyed)
})

t.test('it holds answers until there is enough of them, or their end', async t => {
  const { server, proxy } = await prepare(t)
  proxy.set({ buffer: 10_000 })
  const reader = ask(t, proxy, stream)
  t.match(await fetch(proxy.url + poll), { status: 200 }, 'a poll has an end')
  await server.post('/publish', message)
  t.equal(reader.received, '')
  await server.post('/publish', { ...message, data: 'x'.repeat(10_000) })
  t.match(await reader.until(/xxx"/), /event: ready[\s\S]*"hello"/)
  await server.post('/publish', { ...message, data: 'more' })
  const direct = new RawConnection(server.url)
  t.teardown(() => direct.destroy())
  direct.get(`${stream}&since=0`)
  await direct.until(/more/)
  t.notMatch(reader.received, /more/)
  proxy.set('pass')
  await reader.until(/more/)
})

t.test('it delays, in order', async t => {
  const { server, proxy } = await prepare(t)
  proxy.set({ delayMs: 300 })
  const startMs = performance.now()
  const reader = ask(t, proxy, stream)
  await reader.until(/event: ready/)
  t.ok(performance.now() - startMs >= 299)
  for (let data = 1; data <= 3; data++) await server.post('/publish', { ...message, data })
  t.match(await reader.until(/"data":3/), /"data":1[\s\S]*"data":2[\s\S]*"data":3/)
})

t.test('it cuts after so many bytes, at once, and when it is told to; it counts', async t => {
  const { proxy } = await prepare(t)
  proxy.set(() => ({ cutAfter: 30 }))
  const short = ask(t, proxy, stream)
  await short.closed
  t.equal(short.received.length, 30)
  proxy.set({ cutAfter: 0 })
  const none = ask(t, proxy, stream)
  await none.closed
  t.equal(none.received, '')
  proxy.set('pass')
  const reader = ask(t, proxy, stream)
  await reader.until(/event: ready/)
  proxy.cut(/poll$/)
  t.notOk(reader.socket.destroyed)
  proxy.cut()
  await reader.closed
  t.equal(proxy.cuts, 3)
})

t.test('it answers 502, and what was under way goes on', async t => {
  const { server, proxy } = await prepare(t)
  const reader = ask(t, proxy, stream)
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
