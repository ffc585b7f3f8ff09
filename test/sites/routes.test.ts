import t from 'tap'
import { allSites, defaults } from '../../src/config.js'
import { startServer } from '../../src/server.js'
import { PollReader, poll } from '../helpers/poll-reader.js'
import { startSites } from '../helpers/sites.js'
import { SseReader } from '../helpers/sse-reader.js'

const open = { anonymousChannels: ['*'] }
const notFound = { statusCode: 404, code: 'DOWNPIPE_NOT_FOUND' }

t.test('a site that does not exist is not found, before any work', async t => {
  const { url, main, blog, shop } = await startSites(t)
  const paths = [
    '/sites/none',
    '/sites/default',
    '/sites/BLOG',
    '/sites/blo',
    '/sites/',
    '/sites',
    '/sites/blog/sites/shop',
  ]
  for (const path of paths) {
    for (const route of ['stream?token=t', 'poll?token=t', 'cursor', 'stats', 'nothing']) {
      const response = await fetch(`${url}${path}/v1/${route}`, {
        headers: { authorization: `Bearer ${main.key}` },
      })
      t.equal(response.status, 404, `${path} ${route}`)
      t.match(await response.json(), notFound)
    }
    const body = '{"broadcast":true,"data":1}'
    const headers = { authorization: `Bearer ${main.key}`, 'content-type': 'application/json' }
    t.equal((await fetch(`${url}${path}/v1/publish`, { method: 'POST', headers, body })).status, 404)
  }
  for (const site of [main, blog, shop]) {
    t.strictSame(site.cms.asked, [])
    t.match(await site.get('/cursor'), { body: { cursor: /-0$/ } })
  }
})

t.test('where only named sites are configured, there is nothing at the top level but them', async t => {
  const config = defaults({
    listen: [{ host: '127.0.0.1', port: 0 }],
    logLevel: 'silent',
    sites: [{ name: 'blog', config: defaults({ serviceKeys: ['a-service-key-of-blog'], ...open }) }],
  })
  t.strictSame(
    allSites(config).map(({ name }) => name),
    ['blog'],
  )
  const server = await startServer(config)
  t.teardown(() => server.close())
  for (const path of ['/v1/poll?channel=a', '/v1/stream?channel=a', '/v1/stats', '/sites/default/v1/poll']) {
    const response = await fetch(server.url + path)
    t.equal(response.status, 404, path)
    t.match(await response.json(), notFound)
  }
  t.match(await poll(`${server.url}/sites/blog`, { channels: ['a'] }), { status: 200 })
  for (const path of ['/readyz', '/healthz']) t.ok((await fetch(server.url + path)).ok, path)
})

t.test('pages of one site’s origins may not connect to another', async t => {
  const of = (name: string) => ({ ...open, allowOrigins: [`https://${name}.example`] })
  const server = await startSites(t, {
    main: of('main'),
    blog: of('blog'),
    shop: { ...open, allowOrigins: ['*'] },
  })
  const see = async (path: string, origin: string, method = 'GET') => {
    const headers = { origin, 'access-control-request-method': 'GET' }
    const response = await fetch(server.url + path, { method, headers })
    await response.text()
    const allowed = response.headers.get('access-control-allow-origin')
    return `${response.status} ${allowed} ${response.headers.get('access-control-allow-credentials')}`
  }
  const rows = [
    ['/v1', 'main', '200 https://main.example true'],
    ['/v1', 'blog', '403 null null'],
    ['/sites/blog/v1', 'blog', '200 https://blog.example true'],
    ['/sites/blog/v1', 'main', '403 null null'],
    ['/sites/shop/v1', 'main', '200 * null'],
    // The router decodes what is written otherwise, and the rules of the site hold for it all the same.
    ['/sites/%62log/v1', 'main', '403 null null'],
    ['/%73ites/blog/v1', 'main', '403 null null'],
    ['/%73ites/blog/v1', 'blog', '200 https://blog.example true'],
  ] as const
  for (const [prefix, name, expected] of rows) {
    const path = `${prefix}/poll?channel=a`
    t.equal(await see(path, `https://${name}.example`), expected, `${path} from ${name}`)
    if (prefix.includes('%')) continue
    t.equal(
      await see(path, `https://${name}.example`, 'OPTIONS'),
      expected.replace(/^200/, '204'),
      `${path} asked before`,
    )
    t.equal(
      await see(`${prefix}/nothing`, `https://${name}.example`),
      expected.replace(/^200/, '404'),
      `${prefix}/nothing`,
    )
  }
  t.equal(await see('/sites/none/v1/poll', 'https://main.example'), '404 https://main.example true')
  t.equal(await see('/sites/none/v1/poll', 'https://blog.example'), '403 null null')
})

t.test('how much may be sent at once is each site’s matter', async t => {
  const { main, blog } = await startSites(t, { blog: { maxDataBytes: 1_024, maxBodyBytes: 2_048 } })
  const message = { channel: 'a', data: 'x'.repeat(3_000) }
  t.match(await main.post('/publish', message), { status: 200 })
  t.match(await blog.post('/publish', message), {
    status: 413,
    body: { code: 'DOWNPIPE_TOO_LARGE', message: 'body: at most 2048 bytes' },
  })
})

t.test('a site has no more connections than it may have; who comes then is told that it is busy', async t => {
  const { main, blog } = await startSites(t, { main: open, blog: { ...open, siteConnections: 2 } })
  const stream = new SseReader(blog.url, { channels: ['a'] })
  const waiting = new PollReader(blog.url, { channels: ['a'], since: '0' })
  t.teardown(() => {
    stream.close()
    waiting.close()
  })
  await stream.next('ready')
  await waiting.next('ready')
  await blog.post('/publish', { channel: 'a', data: 1 })
  t.strictSame(await waiting.messages(1), [1])
  // The poller is back by the time that its place is found taken.
  const late = new SseReader(blog.url, { channels: ['a'] })
  t.teardown(() => late.close())
  const first = await late.next()
  if (first.event === 'ready') t.match(await waiting.next(), { event: 'refused', data: { status: 503 } })
  else t.match(first, { event: 'close', data: { reason: 'busy', reconnect: true } })
  t.match(await poll(main.url, { channels: ['a'] }), { status: 200 })
})

t.test('an address has as many connections as it may have, to whatever sites', async t => {
  const { main, blog } = await startSites(t, { main: { ...open, connectionsPerAddress: 1 }, blog: open })
  const stream = new SseReader(main.url, { channels: ['a'] })
  t.teardown(() => stream.close())
  await stream.next('ready')
  t.match(await poll(blog.url, { channels: ['a'] }), {
    status: 429,
    body: { code: 'DOWNPIPE_TOO_MANY_REQUESTS' },
  })
})

t.test('a stop says good-bye in every site', async t => {
  const server = await startSites(t, { main: open, blog: open, shop: open })
  const streams = [server.main, server.blog, server.shop].map(
    ({ url }) => new SseReader(url, { channels: ['a'] }),
  )
  for (const stream of streams) await stream.next('ready')
  const closed = server.close()
  for (const stream of streams) {
    t.match(await stream.next(), { event: 'close', data: { reason: 'shutdown', reconnect: true } })
    t.match(await stream.next(), { event: 'end' })
  }
  await closed
})

t.test(
  'on a listener of its own the CMS’s side has every site, and the browsers’ side none of it',
  async t => {
    const { url, main, blog } = await startSites(t, {
      main: { controlListen: [{ host: '127.0.0.1', port: 0 }] },
    })
    for (const site of [main, blog]) {
      t.match(await site.get('/cursor'), { status: 200 })
      t.match(await site.get('/poll'), { status: 404 })
    }
    for (const prefix of ['', '/sites/blog']) t.equal((await fetch(`${url}${prefix}/v1/cursor`)).status, 404)
    t.match(await poll(blog.url, { token: 'x' }), { status: 401 })
  },
)

t.test('the description of the API has each route once, however many sites there are', async t => {
  const { url } = await startSites(t)
  const { paths } = await (await fetch(`${url}/openapi.json`)).json()
  t.ok(Object.hasOwn(paths, '/v1/publish'))
  t.strictSame(
    Object.keys(paths).filter(path => path.startsWith('/sites')),
    [],
  )
})
