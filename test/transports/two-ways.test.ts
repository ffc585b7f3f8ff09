import t, { type Test } from 'tap'
import type { Question } from '../helpers/cms.js'
import { logsFaults, openApp } from '../helpers/listening-app.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { serviceKey } from '../helpers/server.js'
import { startSites } from '../helpers/sites.js'
import { headOf, openForVisitors, ServerSide } from '../helpers/two-ways.js'

/**
 * A stream is answered without Node's HTTP and the framework where its head is plain, and by them where it is not. Nobody may be able
 * to tell which it was, but by how long the connection of a refusal is kept.
 */

const ways = ['whole', 'split', 'http'] as const

/** Asserts that a head is answered the same on all ways, and so. */
async function sameAnswer(t: Test, url: string, head: string, expected: object): Promise<void> {
  const side = new ServerSide(t)
  const answers: object[] = []
  for (const way of ways) {
    const { status, headers, body } = await side.answer(t, url, head, way)
    // A connection that http has answered with an error is kept for the next request.
    const { connection, 'keep-alive': kept, ...rest } = headers
    if (way !== 'http' || status.includes(' 200 ')) t.equal(connection, 'close')
    answers.push({ status, headers: rest, body })
  }
  const [whole, split, http] = answers
  t.strictSame(whole, http)
  t.strictSame(split, http)
  t.match(http, expected)
}

const ok = { status: 'HTTP/1.1 200 OK', headers: { 'content-type': 'text/event-stream; charset=utf-8' } }
const refused = (status: number, code: string) => ({
  status: new RegExp(`^HTTP/1.1 ${status} `),
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', vary: 'Origin' },
  body: new RegExp(`^\\{"statusCode":${status},"code":"DOWNPIPE_${code}",.*\\}$`),
})
const cors = { 'access-control-expose-headers': 'Retry-After' }

t.test('who may read is let in the same', async t => {
  const server = await openForVisitors(t, { tokenCookie: 'sid' })
  const bearer = (token: string) => `Authorization: Bearer ${token}`
  for (const [head, body] of [
    [headOf('/v1/stream'), /"uid":null,"channels":\["front"\]/],
    [headOf('/v1/stream?'), /"channels":\["front"\]/],
    ['GET /v1/stream?channel=open_1 HTTP/1.0\r\n\r\n', /"channels":\["open_1"\]/],
    [headOf('/v1/stream?channel=open_1&channel=open_%C3%BC'), /"channels":\["open_1","open_ü"\]/],
    [headOf('/v1/stream?token=five'), /"uid":"5","channels":\["a","Grüße"\].*"info":\{"name":"Fünf"\}/],
    [headOf('/v1/stream', bearer('five')), /"uid":"5"/],
    [headOf('/v1/stream?token=other', `authorization:\t${bearer('five').slice(15)} \t`), /"uid":"5"/],
    [headOf('/v1/stream', 'Cookie: a=1; sid=five; b=2'), /"uid":"5"/],
    [headOf('/v1/stream?channel=any', bearer(serviceKey)), /"channels":\["any"\]/],
    [headOf('/v1/stream?since=0'), /^event: ready$/m],
    [headOf('/v1/stream?since=1-1', 'Last-Event-ID: 5-5'), /^event: ready$/m],
    [headOf('/v1/stream?grant=a.b.c'), /"refused":\[\{"grant":0/],
    [headOf('/v1/stream?channel=front', 'Accept: */*', 'X-Other:', 'X-Other: 2'), /"channels":\["front"\]/],
  ] as const) {
    await sameAnswer(t, server.url, head, { ...ok, body })
  }
})

t.test('who may not is refused the same', async t => {
  const server = await openForVisitors(t, {
    tokenCookie: 'sid',
    serviceKeys: [serviceKey, { key: 'a-key-that-only-publishes', operations: ['publish'] }],
  })
  server.cms.identities.set('seven', { uid: '7', channels: [] })
  await server.post('/kick', { uid: '7', hold: 5_000 })
  const named = (count: number) => Array.from({ length: count }, (_, n) => `channel=open_${n}`).join('&')
  for (const [path, headers, expected] of [
    ['/v1/stream?token=nobody', [], refused(401, 'TOKEN_REFUSED')],
    ['/v1/stream?token=', [], refused(401, 'TOKEN_REFUSED')],
    ['/v1/stream', ['Authorization: Bearer nobody'], refused(401, 'TOKEN_REFUSED')],
    ['/v1/stream', ['Cookie: sid=nobody'], refused(401, 'TOKEN_REFUSED')],
    ['/v1/stream?token=seven', [], refused(403, 'USER_KICKED')],
    ['/v1/stream', ['Authorization: Bearer a-key-that-only-publishes'], refused(403, 'KEY_RESTRICTED')],
    [`/v1/stream?channel=${encodeURIComponent('für')}`, [], refused(403, 'CHANNEL_FORBIDDEN')],
    ['/v1/stream?channel=', [], refused(400, 'INVALID_REQUEST')],
    ['/v1/stream?channel=a%0D%0Ab', [], refused(400, 'INVALID_REQUEST')],
    [`/v1/stream?${named(201)}`, [], refused(400, 'INVALID_REQUEST')],
    [`/v1/stream?${'grant=x&'.repeat(9)}`, [], refused(400, 'INVALID_REQUEST')],
    [`/v1/stream?token=${'x'.repeat(5_000)}`, [], refused(400, 'INVALID_REQUEST')],
    [`/v1/stream?token=${'x'.repeat(7_200)}`, [], refused(414, 'URL_TOO_LONG')],
    ['/v1/stream', ['Origin: https://other.example'], refused(403, 'ORIGIN_FORBIDDEN')],
    ['/v1/stream', ['Origin: '], refused(403, 'ORIGIN_FORBIDDEN')],
  ] as const) {
    await sameAnswer(t, server.url, headOf(path, ...headers), expected)
  }
  const closed = await openForVisitors(t, { anonymousChannels: [] })
  await sameAnswer(t, closed.url, headOf('/v1/stream?channel=a'), refused(401, 'TOKEN_REQUIRED'))
})

t.test('what is refused only for now is a stream that ends, the same', async t => {
  const server = await openForVisitors(t, { connectionsPerAddress: 1 })
  const busy = { ...ok, body: /^retry: …\nevent: close\ndata: \{"reason":"busy"/m }
  server.cms.answer = (_token, response) => response.writeHead(500).end()
  await sameAnswer(t, server.url, headOf('/v1/stream?token=six'), busy)
  const full = await openForVisitors(t, { siteConnections: 1 })
  const side = new ServerSide(t)
  const reader = await fetch(`${full.url}/v1/stream`)
  for (const way of ways) t.match(await side.answer(t, full.url, headOf('/v1/stream'), way), busy)
  await reader.body?.cancel()
})

t.test('pages of other origins are told the same', async t => {
  const origin = (value: string, ...more: string[]) =>
    headOf('/v1/stream?channel=front', `Origin: ${value}`, ...more)
  const named = await openForVisitors(t, { allowOrigins: ['https://a.example'], tokenCookie: 'sid' })
  const byName = {
    ...cors,
    'access-control-allow-origin': 'https://a.example',
    'access-control-allow-credentials': 'true',
  }
  for (const [head, expected] of [
    [origin('https://a.example'), { ...ok, headers: byName }],
    [origin('https://a.example', 'Cookie: sid=five'), { headers: byName, body: /"uid":"5"/ }],
    [
      origin('https://a.example', 'Cookie: sid=nobody'),
      { ...refused(401, 'TOKEN_REFUSED'), headers: byName },
    ],
    [origin('https://a.example:444'), refused(403, 'ORIGIN_FORBIDDEN')],
    [origin('null'), refused(403, 'ORIGIN_FORBIDDEN')],
    [origin('http://localhost:3000'), refused(403, 'ORIGIN_FORBIDDEN')],
    [origin('http://downpipe.test', 'Cookie: sid=five'), { ...ok, body: /"uid":"5"/ }],
    [origin('https://downpipe.test'), ok],
    [
      origin('https://else.example', 'Sec-Fetch-Site: same-origin', 'Cookie: sid=five'),
      { body: /"uid":"5"/ },
    ],
    [origin('https://else.example', 'Sec-Fetch-Site: same-site'), refused(403, 'ORIGIN_FORBIDDEN')],
  ] as const) {
    await sameAnswer(t, named.url, head, expected)
  }
  const any = await openForVisitors(t, { allowOrigins: ['*'], allowLocalOrigins: true, tokenCookie: 'sid' })
  const byStar = { ...cors, 'access-control-allow-origin': '*' }
  await sameAnswer(t, any.url, origin('https://b.example', 'Cookie: sid=five'), {
    headers: byStar,
    body: /"uid":null/,
  })
  await sameAnswer(t, any.url, origin('null'), { headers: { 'access-control-allow-origin': 'null' } })
  await sameAnswer(t, any.url, origin('http://[::1]:80'), {
    headers: { 'access-control-allow-origin': 'http://[::1]:80' },
  })
})

t.test(
  'of a trusted proxy, the visitor’s address and the host are those that it names, the same',
  async t => {
    const server = await openForVisitors(t, { trustProxy: ['loopback', '10.0.0.0/8'] })
    const side = new ServerSide(t)
    const questions: Question[] = []
    server.cms.answer = (_token, response, _request, question) => {
      questions.push(question)
      response.end('{"uid":"5"}')
    }
    const agent = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64)'
    const lists = ['192.0.2.1', '192.0.2.9, 10.1.1.1', ' 192.0.2.9 ,192.0.2.1,\t10.1.1.1,', 'nonsense', '']
    for (const [index, list] of lists.entries()) {
      for (const way of ways) {
        const head = headOf(`/v1/stream?token=${way}${index}`, `X-Forwarded-For: ${list}`, agent)
        await side.answer(t, server.url, head, way)
      }
      const [{ token: _, ...whole } = {}, { token: __, ...split } = {}] = questions.splice(0)
      t.strictSame(whole, split, list)
      t.match(whole, { ip: String, userAgent: 'Mozilla/5.0 (X11; Linux x86_64)' })
    }
    const host = ['Origin: https://www.example', 'X-Forwarded-Host: other.example, www.example ']
    await sameAnswer(t, server.url, headOf('/v1/stream', ...host), ok)
    const direct = await openForVisitors(t)
    await sameAnswer(t, direct.url, headOf('/v1/stream', ...host), refused(403, 'ORIGIN_FORBIDDEN'))
  },
)

t.test('each site has its own streams, the same', async t => {
  const server = await startSites(t, {
    blog: { anonymousChannels: ['front'], allowOrigins: ['https://blog.example'] },
  })
  const origin = 'Origin: https://blog.example'
  await sameAnswer(t, server.url, headOf('/sites/blog/v1/stream', origin), {
    ...ok,
    body: /"channels":\["front"\]/,
  })
  await sameAnswer(t, server.url, headOf('/sites/shop/v1/stream', origin), refused(403, 'ORIGIN_FORBIDDEN'))
  await sameAnswer(t, server.url, headOf('/sites/shop/v1/stream'), refused(401, 'TOKEN_REQUIRED'))
  await sameAnswer(t, server.url, headOf('/v1/stream'), refused(401, 'TOKEN_REQUIRED'))
})

t.test('a fault of ours is logged and not told, the same', async t => {
  await logsFaults(t, '/v1/stream', ways.length, (url, address) =>
    sameAnswer(t, url, headOf(address), refused(500, 'INTERNAL')),
  )
})

t.test(
  'a fault of ours that comes when the stream has begun ends it, and is not told into it, the same',
  async t => {
    const { url, app } = await openApp(t, { anonymousChannels: ['*'] })
    for (const { hub } of app.sites) {
      hub.join = () => {
        throw new Error('something broke')
      }
    }
    const side = new ServerSide(t)
    for (const way of ways) {
      const client = new RawConnection(url)
      await side.send(client, headOf('/v1/stream'), way)
      await client.closed
      t.notMatch(client.received, 'DOWNPIPE_INTERNAL', way)
    }
  },
)
