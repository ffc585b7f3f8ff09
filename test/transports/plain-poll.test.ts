import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { connected } from '../helpers/calls.js'
import { logsFaults } from '../helpers/listening-app.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { serviceKey } from '../helpers/server.js'
import { startSites } from '../helpers/sites.js'
import { headOf, openForVisitors, type PlainAnswer, wholeAnswer } from '../helpers/two-ways.js'

/**
 * A poll is answered without the framework where its request is plain, and by its route where it has a body. Nobody may be able to
 * tell which it was.
 */

const ways = ['plain', 'framework'] as const
type Way = (typeof ways)[number]

/** Addresses that the framework was asked for, of all servers of this process. */
const asked: string[] = []
const watch = (message: unknown) => {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('onRequest', async ({ url }) => {
    asked.push(url)
  })
}
subscribe('fastify.initialization', watch)
t.teardown(() => unsubscribe('fastify.initialization', watch))

async function answerTo(t: Test, url: string, head: string, way: Way): Promise<PlainAnswer> {
  const client = new RawConnection(url)
  asked.length = 0
  client.write(way === 'plain' ? head : head.replace(/\r\n$/, 'Content-Length: 0\r\n\r\n'))
  const answer = await wholeAnswer(client)
  client.destroy()
  t.equal(asked.length, way === 'plain' ? 0 : 1, `${way}: ${head.slice(0, 100)}`)
  return answer
}

/** Asserts that a head is answered the same both ways, and so. */
async function sameAnswer(t: Test, url: string, head: string, expected: object): Promise<void> {
  const plain = await answerTo(t, url, head, 'plain')
  t.strictSame(plain, await answerTo(t, url, head, 'framework'))
  t.match(plain, expected)
}

const json = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  vary: 'Origin',
}
const ok = { status: 'HTTP/1.1 200 OK', headers: { ...json, connection: 'keep-alive' } }
const refused = (status: number, code: string) => ({
  status: new RegExp(`^HTTP/1.1 ${status} `),
  headers: json,
  body: new RegExp(`^\\{"statusCode":${status},"code":"DOWNPIPE_${code}",.*\\}$`),
})

t.test('who may read is answered the same', async t => {
  const server = await openForVisitors(t, { tokenCookie: 'sid' })
  const bearer = (token: string) => `Authorization: Bearer ${token}`
  for (const [head, body] of [
    [headOf('/v1/poll'), /^\{"cursor":"\d+-0","messages":\[\],"ready":\{"uid":null,"channels":\["front"\]/],
    [headOf('/v1/poll?wait=0&since=0'), /"uid":null/],
    [headOf('/v1/poll?channel=open_1&channel=open_%C3%BC'), /"channels":\["open_1","open_ü"\]/],
    [headOf('/v1/poll?token=five'), /"uid":"5","channels":\["a","Grüße"\].*"info":\{"name":"Fünf"\}/],
    [headOf('/v1/poll', bearer('five')), /"uid":"5"/],
    [headOf('/v1/poll', 'Cookie: a=1; sid=five; b=2'), /"uid":"5"/],
    [headOf('/v1/poll?channel=any', bearer(serviceKey)), /"channels":\["any"\]/],
    [headOf('/v1/poll?grant=a.b.c'), /"refused":\[\{"grant":0/],
    [headOf('/v1/poll?wait=0&since=1-1', 'Last-Event-ID: 5-5'), /"ready"/],
  ] as const) {
    await sameAnswer(t, server.url, head, { ...ok, body })
  }
  await sameAnswer(t, server.url, 'GET /v1/poll HTTP/1.0\r\n\r\n', { headers: { connection: 'close' } })
  await server.post('/publish', { channel: 'front', data: 'Ü' })
  await sameAnswer(t, server.url, headOf('/v1/poll?wait=1&since=0'), {
    ...ok,
    body: /"messages":\[\{"id":"\d+-1","channel":"front","data":"Ü"\}\]/,
  })
})

t.test('a poll that waits is answered when something comes, and its connection is kept', async t => {
  const server = await openForVisitors(t)
  const client = new RawConnection(server.url)
  t.teardown(() => client.destroy())
  client.write(headOf('/v1/poll?wait=20&since=0&v=0'))
  const first = await client.until(/"ready"/)
  const since = /"cursor":"([^"]+)"/.exec(first)?.[1]
  const version = /"v":"([^"]+)"/.exec(first)?.[1]
  asked.length = 0
  client.write(headOf(`/v1/poll?wait=20&since=${since}&v=${version}`))
  await connected(server, 1)
  await server.post('/publish', { channel: 'front', data: 'late' })
  await client.until(/"data":"late"/)
  t.same(
    asked.filter(url => url.startsWith('/v1/poll')),
    [],
  )
  client.write(headOf('/healthz'))
  await client.until(/"data":"late".*HTTP\/1.1 200 OK/s)
  t.ok(asked.includes('/healthz'), 'the same connection is the framework’s for all else')
})

t.test('polls behind another one on a connection give their places back, answered or cut', async t => {
  const server = await openForVisitors(t, { connectionsPerAddress: 3 })
  for (const way of ways) {
    for (const end of ['answered', 'cut']) {
      const { body } = await server.get('/poll')
      const { v } = body.ready as { v: string }
      const client = new RawConnection(server.url)
      t.teardown(() => client.destroy())
      const path = `/v1/poll?wait=20&since=${body.cursor}&v=${v}`
      client.write(headOf(path, ...(way === 'plain' ? [] : ['Content-Length: 0'])).repeat(3))
      await connected(server, 3)
      if (end === 'cut') client.destroy()
      else {
        await server.post('/publish', { channel: 'front', data: way })
        await client.until(new RegExp(`(?:"data":"${way}".*){3}`, 's'))
      }
      await connected(server, 0)
      // They wait, so that there are three at a time.
      const next = await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })
      const waiting = `/poll?since=${next.body.cursor}&wait=1&v=${v}`
      const answers = await Promise.all([1, 2, 3].map(() => server.get(waiting)))
      t.same(
        answers.map(({ status }) => status),
        [200, 200, 200],
        `${way}, ${end}`,
      )
    }
  }
})

t.test('who may not is refused the same', async t => {
  const server = await openForVisitors(t, {
    tokenCookie: 'sid',
    serviceKeys: [serviceKey, { key: 'a-key-that-only-publishes', operations: ['publish'] }],
  })
  server.cms.identities.set('seven', { uid: '7', channels: [] })
  await server.post('/kick', { uid: '7', hold: 5_000 })
  for (const [path, headers, expected] of [
    ['/v1/poll?token=nobody', [], refused(401, 'TOKEN_REFUSED')],
    ['/v1/poll?token=', [], refused(401, 'TOKEN_REFUSED')],
    ['/v1/poll', ['Cookie: sid=nobody'], refused(401, 'TOKEN_REFUSED')],
    ['/v1/poll?token=seven', [], refused(403, 'USER_KICKED')],
    ['/v1/poll', ['Authorization: Bearer a-key-that-only-publishes'], refused(403, 'KEY_RESTRICTED')],
    [`/v1/poll?channel=${encodeURIComponent('für')}`, [], refused(403, 'CHANNEL_FORBIDDEN')],
    ['/v1/poll?channel=', [], refused(400, 'INVALID_REQUEST')],
    ['/v1/poll?wait=soon', [], refused(400, 'INVALID_REQUEST')],
    [`/v1/poll?token=${'x'.repeat(7_200)}`, [], refused(414, 'URL_TOO_LONG')],
    ['/v1/poll', ['Origin: https://other.example'], refused(403, 'ORIGIN_FORBIDDEN')],
  ] as const) {
    await sameAnswer(t, server.url, headOf(path, ...headers), expected)
  }
  server.cms.answer = (_token, response) => response.writeHead(500).end()
  await sameAnswer(t, server.url, headOf('/v1/poll?token=six'), {
    ...refused(503, 'BUSY'),
    headers: { ...json, 'retry-after': 'soon' },
  })
  const full = await openForVisitors(t, { connectionsPerAddress: 1 })
  const reader = await fetch(`${full.url}/v1/stream`)
  await sameAnswer(t, full.url, headOf('/v1/poll'), refused(429, 'TOO_MANY_REQUESTS'))
  await reader.body?.cancel()
})

t.test('pages of other origins are told the same', async t => {
  const server = await openForVisitors(t, { allowOrigins: ['https://a.example'], tokenCookie: 'sid' })
  const exposed = { 'access-control-expose-headers': 'Retry-After' }
  const byName = {
    ...exposed,
    'access-control-allow-origin': 'https://a.example',
    'access-control-allow-credentials': 'true',
  }
  const named = 'Origin: https://a.example'
  await sameAnswer(t, server.url, headOf('/v1/poll', named, 'Cookie: sid=five'), {
    headers: { ...json, ...byName },
    body: /"uid":"5"/,
  })
  await sameAnswer(t, server.url, headOf('/v1/poll?token=nobody', named), {
    ...refused(401, 'TOKEN_REFUSED'),
    headers: byName,
  })
  await sameAnswer(t, server.url, headOf('/v1/poll', 'Origin: http://downpipe.test'), ok)
  const any = await openForVisitors(t, { allowOrigins: ['*'], tokenCookie: 'sid' })
  await sameAnswer(t, any.url, headOf('/v1/poll', 'Origin: https://b.example', 'Cookie: sid=five'), {
    headers: { ...exposed, 'access-control-allow-origin': '*' },
    body: /"uid":null/,
  })
})

t.test('of a trusted proxy, the address and the host are those that it names, the same', async t => {
  const server = await openForVisitors(t, { trustProxy: ['loopback'] })
  const ips: unknown[] = []
  server.cms.answer = (_token, response, _request, { ip }) => {
    ips.push(ip)
    response.end('{"uid":"5"}')
  }
  for (const way of ways) {
    const head = headOf(`/v1/poll?token=${way}`, 'X-Forwarded-For: 192.0.2.1, 192.0.2.9')
    t.match(await answerTo(t, server.url, head, way), ok)
  }
  t.same(ips, ['192.0.2.9', '192.0.2.9'])
  const host = ['Origin: https://www.example', 'X-Forwarded-Host: www.example']
  await sameAnswer(t, server.url, headOf('/v1/poll', ...host), ok)
  const direct = await openForVisitors(t)
  await sameAnswer(t, direct.url, headOf('/v1/poll', ...host), refused(403, 'ORIGIN_FORBIDDEN'))
})

t.test('each site has its own polls, the same', async t => {
  const server = await startSites(t, { blog: { anonymousChannels: ['front'] } })
  await sameAnswer(t, server.url, headOf('/sites/blog/v1/poll'), { ...ok, body: /"channels":\["front"\]/ })
  await sameAnswer(t, server.url, headOf('/sites/shop/v1/poll'), refused(401, 'TOKEN_REQUIRED'))
})

t.test('what is no plain poll is for the framework', async t => {
  const server = await openForVisitors(t)
  const client = new RawConnection(server.url)
  t.teardown(() => client.destroy())
  asked.length = 0
  client.write(`${headOf('/v1/poll', 'Content-Length: 3')}abc${headOf('/v1/%70oll')}`)
  await client.until(/"ready".*"ready"/s)
  t.same(asked, ['/v1/poll', '/v1/%70oll'])
  for (const method of ['HEAD', 'POST', 'OPTIONS', 'DELETE']) {
    const { status } = await fetch(`${server.url}/v1/poll`, { method })
    t.equal(status, 404, method)
  }
  t.equal((await fetch(`${server.url}/v1/poll/`)).status, 404)
})

t.test('a fault of ours is logged and not told, the same', async t => {
  await logsFaults(t, '/v1/poll', ways.length, (url, address) =>
    sameAnswer(t, url, headOf(address), refused(500, 'INTERNAL')),
  )
})
