import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'

const authorization = `Bearer ${serviceKey}`
const named = 'https://www.example.com'

async function openServer(t: Test, more: Partial<Config> = {}): Promise<TestServer> {
  const server = await startTestServer({ anonymousChannels: ['a'], allowOrigins: [named], ...more })
  t.teardown(() => server.close())
  return server
}

/** Every kind of answer: a stream, a poll, refusals of both, what is nowhere, a control call, a health check. */
const requests = [
  ['GET', '/v1/stream?channel=a', 200],
  ['GET', '/v1/poll?channel=a', 200],
  ['GET', '/v1/stream?channel=staff', 403],
  ['GET', '/v1/poll?token=nobody', 401],
  ['GET', '/v1/poll?channel=', 400],
  ['GET', '/v1/nothing?token=secret', 404],
  ['POST', '/v1/publish', 401],
  ['GET', '/v1/stats', 401],
  ['GET', '/healthz', 200],
] as const

interface Seen {
  readonly status: number
  readonly origin: string | null
  readonly credentials: string | null
  readonly exposed: string | null
  readonly vary: string | null
  readonly code: unknown
}

/** Sends a request and looks at the head, and at an error's code; a stream is left at once. */
async function see(url: string, method: string, headers: Record<string, string>): Promise<Seen> {
  const abort = new AbortController()
  const response = await fetch(url, { method, headers, signal: abort.signal })
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  const body: unknown = isJson ? await response.json() : undefined
  abort.abort()
  return {
    status: response.status,
    origin: response.headers.get('access-control-allow-origin'),
    credentials: response.headers.get('access-control-allow-credentials'),
    exposed: response.headers.get('access-control-expose-headers'),
    vary: response.headers.get('vary'),
    code: Object(body).code,
  }
}

t.test(
  'a page of a named origin reads every answer, errors and streams included, with its cookies',
  async t => {
    const server = await openServer(t)
    for (const [method, path, status] of requests) {
      t.match(
        await see(server.url + path, method, { origin: named }),
        { status, origin: named, credentials: 'true', exposed: 'Retry-After', vary: /\borigin\b/i },
        `${method} ${path}`,
      )
    }
  },
)

t.test('a cookie counts for pages of named origins and of our own, and never because of *', async t => {
  const server = await openServer(t, {
    allowOrigins: [named, '*'],
    tokenCookie: 'sid',
    anonymousChannels: [],
  })
  server.cms.identities.set('five', { uid: '5', channels: ['a'] })
  const cookie = 'sid=five'
  for (const headers of [{}, { origin: named }, { origin: server.url }]) {
    t.match(await see(`${server.url}/v1/poll`, 'GET', { cookie, ...headers }), { status: 200 })
  }
  const asked = server.cms.asked.length
  const headers = { cookie, origin: 'https://other.example' }
  const none = { status: 401, code: 'DOWNPIPE_TOKEN_REQUIRED', origin: '*', credentials: null }
  t.match(await see(`${server.url}/v1/poll`, 'GET', headers), none)
  t.match(await see(`${server.url}/v1/stream`, 'GET', headers), none)
  t.match(await see(`${server.url}/v1/poll?token=five`, 'GET', headers), { status: 200, origin: '*' })
  t.equal(server.cms.asked.length, asked)
})

t.test('a page of another origin is refused before any work', async t => {
  const server = await openServer(t)
  const others = [
    'https://other.example',
    'http://www.example.com',
    'https://www.example.com:8443',
    'https://www.example.com.other.example',
    'https://example.com',
    'null',
    'x',
  ]
  for (const origin of others) {
    for (const [method, path] of requests) {
      const forbidden = { status: 403, code: 'DOWNPIPE_ORIGIN_FORBIDDEN', origin: null, credentials: null }
      t.match(await see(server.url + path, method, { origin }), forbidden, `${origin} ${method} ${path}`)
    }
  }
  for (const site of ['cross-site', 'same-site', 'none']) {
    const headers = { origin: 'https://other.example', 'sec-fetch-site': site }
    t.match(await see(`${server.url}/v1/poll?token=five`, 'GET', headers), { status: 403 }, site)
  }
  const publish = await fetch(`${server.url}/v1/publish`, {
    method: 'POST',
    headers: { authorization, origin: 'https://other.example', 'content-type': 'application/json' },
    body: '{"broadcast":true,"data":1}',
  })
  t.equal(publish.status, 403)
  t.match(await server.get('/cursor', { authorization }), { body: { cursor: /-0$/ } })
  t.strictSame(server.cms.asked, [])
})

t.test('pages of our own host, and those that the browser calls same-origin, need not be named', async t => {
  const server = await openServer(t, { allowOrigins: [] })
  const own = new URL(server.url).host
  for (const headers of [
    { origin: `http://${own}` },
    { origin: `https://${own}` },
    { origin: 'https://behind-a-proxy.example', 'sec-fetch-site': 'same-origin' },
  ]) {
    t.match(
      await see(`${server.url}/v1/poll?channel=a`, 'GET', headers),
      { status: 200, origin: null },
      headers.origin,
    )
  }
  const forwarded = { origin: 'https://site.example', 'x-forwarded-host': 'site.example' }
  t.match(await see(`${server.url}/v1/poll?channel=a`, 'GET', forwarded), { status: 403 })
  const behind = await openServer(t, { allowOrigins: [], trustProxy: true })
  t.match(await see(`${behind.url}/v1/poll?channel=a`, 'GET', forwarded), { status: 200 })
})

t.test('who sends no origin is no page of somebody else, and the answer is kept apart in caches', async t => {
  const server = await openServer(t)
  t.match(await see(`${server.url}/v1/poll?channel=a`, 'GET', {}), {
    status: 200,
    origin: null,
    vary: /\borigin\b/i,
  })
})

t.test('a star lets every page in, but without cookies, unless its origin is named as well', async t => {
  const server = await openServer(t, { allowOrigins: ['*', named] })
  for (const [method, path, status] of requests) {
    t.match(
      await see(server.url + path, method, { origin: 'https://other.example' }),
      { status, origin: '*', credentials: null, exposed: 'Retry-After' },
      `${method} ${path}`,
    )
  }
  t.match(await see(`${server.url}/v1/poll?channel=a`, 'GET', { origin: named }), {
    origin: named,
    credentials: 'true',
  })
})

t.test('for development any page of this machine is let in, and none that only looks like one', async t => {
  const server = await openServer(t, { allowLocalOrigins: true })
  const local = [
    'http://localhost:3000',
    'https://localhost',
    'http://127.0.0.1:1',
    'http://[::1]:8',
    'http://a.localhost',
    'null',
  ]
  for (const origin of local) {
    t.match(await see(`${server.url}/v1/poll?channel=a`, 'GET', { origin }), {
      status: 200,
      origin,
      credentials: 'true',
    })
  }
  for (const origin of [
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://xlocalhost',
    'file://',
  ]) {
    t.match(
      await see(`${server.url}/v1/poll?channel=a`, 'GET', { origin }),
      { status: 403, origin: null },
      origin,
    )
  }
})

t.test('a preflight is answered without a key, and only to those who may', async t => {
  const server = await openServer(t)
  const preflight = (path: string, origin: string) =>
    fetch(server.url + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
  for (const path of ['/v1/stream', '/v1/poll', '/v1/publish', '/nothing']) {
    const yes = await preflight(path, named)
    t.equal(yes.status, 204, path)
    t.match(Object.fromEntries(yes.headers), {
      'access-control-allow-origin': named,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': /GET, POST/,
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': /^\d+$/,
    })
    const no = await preflight(path, 'https://other.example')
    t.equal(no.status, 403)
    t.equal(no.headers.get('access-control-allow-origin'), null)
  }
})

t.test('a busy answer can be read by the page, too', async t => {
  const server = await openServer(t)
  server.cms.answer = (_token, response) => response.writeHead(500).end()
  for (const [route, status] of [
    ['stream', 200],
    ['poll', 503],
  ] as const) {
    t.match(await see(`${server.url}/v1/${route}?token=${route}`, 'GET', { origin: named }), {
      status,
      origin: named,
      credentials: 'true',
      exposed: 'Retry-After',
      vary: /\borigin\b/i,
    })
  }
})
