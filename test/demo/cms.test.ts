import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { buildCms, type Cms } from '../../src/demo/cms.js'
import { listen, shut } from '../helpers/listening.js'

const KEY = 'the-service-key'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const HOSTILE = `<img src=x onerror="alert(1)"> & '</script>'`

/** A call that the push service got. */
interface Call {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: unknown
}

/** A CMS in front of a push service that only writes down what it is told; `onCall` runs before it answers. */
async function withPush(
  t: Test,
  onCall?: (call: Call) => Promise<void>,
): Promise<{ cms: Cms; calls: Call[] }> {
  const calls: Call[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    const body = await text(request)
    const call = {
      path: request.url ?? '',
      authorization: request.headers.authorization,
      body: body === '' ? undefined : JSON.parse(body),
    }
    calls.push(call)
    await onCall?.(call)
    response.setHeader('content-type', 'application/json').end('{"cursor":"1763762400000-7"}')
  })
  const port = await listen(server)
  const cms = buildCms({ serviceKey: KEY, logLevel: 'silent' })
  cms.push.url = `http://127.0.0.1:${port}`
  t.teardown(async () => {
    await cms.app.close()
    await shut(server)
  })
  return { cms, calls }
}

/** Logs in and returns the cookie header for later requests. */
async function login(cms: Cms, user: string): Promise<string> {
  const response = await post(cms, '/login', { user, next: '/article/1' })
  return response.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

async function post(
  cms: Cms,
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const payload = new URLSearchParams(fields).toString()
  return cms.app.inject({ method: 'POST', url, payload, headers: { ...FORM, ...headers } })
}

async function get(cms: Cms, url: string, cookie = ''): Promise<string> {
  return (await cms.app.inject({ url, headers: { cookie } })).body
}

/** The token that the CMS wrote into a page. */
function tokenIn(page: string): string {
  return /"token":"([^"]+)"/.exec(page)?.[1] ?? ''
}

t.test('a page says from where its script shall follow', async t => {
  const { cms, calls } = await withPush(t)
  t.match(await get(cms, '/article/1'), '"since":"1763762400000-7"')
  t.match(calls, [{ path: '/v1/cursor', authorization: `Bearer ${KEY}` }])
})

t.test('what changes while the cursor is asked for is already in the page', async t => {
  let cookie = ''
  const { cms } = await withPush(t, async call => {
    if (call.path === '/v1/cursor')
      await post(cms, '/article/1/comment', { text: 'just in time' }, { cookie })
  })
  cookie = await login(cms, 'bert')
  t.match(await get(cms, '/article/1'), 'just in time')
})

t.test('a comment is published to the page, to the front page and to the author', async t => {
  const { cms, calls } = await withPush(t)
  const cookie = await login(cms, 'cleo')
  const response = await post(cms, '/article/1/comment', { text: 'Hello', page: 'p-1' }, { cookie })
  t.equal(response.statusCode, 303)
  t.equal(response.headers.location, '/article/1')
  const call = calls.find(call => call.path === '/v1/publish')
  t.match(call?.body, [
    {
      channel: 'article_1',
      except: 'p-1',
      data: { type: 'comment', version: 2, comment: { author: 'Cleo', text: 'Hello' } },
    },
    { channel: 'front', data: { article: 1, version: 2, likes: 0, comments: 1 } },
    { uid: 'ada', callback: 'notice', data: { text: 'Cleo commented on “Rain expected on Thursday”' } },
  ])
})

t.test('the answer to a script is what the other pages get as a message', async t => {
  const { cms, calls } = await withPush(t)
  const cookie = await login(cms, 'bert')
  const fields = { title: 'New', body: 'one\r\ntwo' }
  const response = await post(cms, '/article/2', fields, { cookie, accept: 'application/json' })
  t.same(response.json(), { type: 'text', version: 2, title: 'New', body: 'one\ntwo', editor: 'Bert' })
  t.match(calls.at(-1)?.body, [{ channel: 'article_2', data: response.json() }, {}])
})

t.test('nobody is told about what they did themselves', async t => {
  const { cms, calls } = await withPush(t)
  const cookie = await login(cms, 'ada')
  await post(cms, '/article/1/like', {}, { cookie })
  const messages = calls.at(-1)?.body
  t.ok(Array.isArray(messages) && messages.length === 2)
})

t.test('a second like takes the first one back', async t => {
  const { cms } = await withPush(t)
  const cookie = await login(cms, 'cleo')
  const json = { cookie, accept: 'application/json' }
  t.match((await post(cms, '/article/1/like', {}, json)).json(), {
    likes: ['Cleo'],
    version: 2,
    comment: null,
  })
  t.match((await post(cms, '/article/1/like', {}, json)).json(), { likes: [], version: 3 })
})

t.test('what users write is text in every page', async t => {
  const { cms } = await withPush(t)
  const cookie = await login(cms, 'bert')
  await post(cms, '/article/1', { title: HOSTILE, body: HOSTILE }, { cookie })
  await post(cms, '/article/1/comment', { text: HOSTILE }, { cookie })
  for (const url of ['/', '/fragment', '/article/1', '/article/1/fragment']) {
    const page = await get(cms, url, cookie)
    t.notMatch(page, '<img', url)
    t.match(page, '&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;&lt;/script&gt;&#39;', url)
  }
})

t.test('the push service learns who a token belongs to', async t => {
  const { cms } = await withPush(t)
  const token = tokenIn(await get(cms, '/', await login(cms, 'bert')))
  const ask = (token: string, key: string) =>
    cms.app.inject({
      method: 'POST',
      url: '/downpipe/auth',
      payload: { token, ip: '127.0.0.1' },
      headers: { authorization: `Bearer ${key}` },
    })
  const identity = { uid: 'bert', channels: ['front', 'article_*'], expiresIn: 3600, info: { name: 'Bert' } }
  t.same((await ask(token, KEY)).json(), identity)
  t.equal((await ask('another token', KEY)).statusCode, 403)
  t.equal((await ask(token, 'another key')).statusCode, 403)
})

t.test('the session id is in no page', async t => {
  const { cms } = await withPush(t)
  const cookie = await login(cms, 'bert')
  const id = cookie.split('=')[1] ?? ''
  t.ok(id)
  t.notMatch(await get(cms, '/article/1', cookie), id)
})

t.test('a logout reaches the push service while the session still stands', async t => {
  let cookie = ''
  let during = ''
  const { cms, calls } = await withPush(t, async call => {
    if (call.path === '/v1/logout') during = await get(cms, '/fragment-of-nothing', cookie)
  })
  cookie = await login(cms, 'bert')
  const token = tokenIn(await get(cms, '/', cookie))
  await post(cms, '/logout', { next: '/' }, { cookie })
  t.match(during, 'You are <strong id="user">Bert</strong>')
  t.match(calls.at(-1), { path: '/v1/logout', body: { token } })
  t.notMatch(await get(cms, '/', cookie), 'Bert</strong>')
})

t.test('only Ada may kick', async t => {
  const { cms, calls } = await withPush(t)
  const fields = { user: 'cleo', next: '/' }
  t.equal((await post(cms, '/kick', fields, { cookie: await login(cms, 'bert') })).statusCode, 403)
  t.equal((await post(cms, '/kick', fields, { cookie: await login(cms, 'ada') })).statusCode, 303)
  t.match(calls.at(-1), { path: '/v1/kick', body: { uid: 'cleo' } })
})

t.test('long-polling is carried on by links, forms and redirects', async t => {
  const { cms } = await withPush(t)
  const page = await get(cms, '/article/1?transport=poll', await login(cms, 'ada'))
  t.match(page, '"transport":"poll"')
  t.match(page, 'action="/article/1/comment?transport=poll"')
  const response = await post(cms, '/login?transport=poll', { user: 'ada', next: '/article/2' })
  t.equal(response.headers.location, '/article/2?transport=poll')
})

t.test('forms that are wrong, foreign or not allowed change nothing', async t => {
  const { cms } = await withPush(t)
  const cookie = await login(cms, 'bert')
  const before = await get(cms, '/article/1/fragment', cookie)
  const status = async (url: string, fields: Record<string, string>, headers = {}) =>
    (await post(cms, url, fields, { cookie, ...headers })).statusCode
  t.equal(await status('/article/1/comment', { text: 'Hi' }, { cookie: '' }), 401)
  t.equal(await status('/article/1/comment', { text: 'Hi' }, { origin: 'http://elsewhere.example' }), 403)
  t.equal(await status('/article/1/comment', { text: '  \n' }), 400)
  t.equal(await status('/article/1/comment', { text: 'x'.repeat(2001) }), 400)
  t.equal(await status('/article/1/comment', { text: 'Hi', page: '<script>' }), 400)
  t.equal(await status('/article/1/comment', { text: 'x'.repeat(200_000) }), 413)
  t.equal(await status('/article/9/comment', { text: 'Hi' }), 404)
  t.equal(await status('/article/1/like', { comment: '99' }), 404)
  t.equal(await status('/login', { user: 'mallory', next: '/' }), 404)
  t.equal(await status('/login', { user: 'ada', next: '//elsewhere.example' }), 400)
  t.equal(await get(cms, '/article/1/fragment', cookie), before)
})

t.test('a push service that is down keeps nobody from saving', async t => {
  const { cms } = await withPush(t)
  cms.push.url = 'http://127.0.0.1:1'
  const cookie = await login(cms, 'cleo')
  t.equal((await post(cms, '/article/1/comment', { text: 'Saved' }, { cookie })).statusCode, 303)
  const page = await get(cms, '/article/1', cookie)
  t.match(page, 'Saved')
  const since = Number(/"since":"(\d+)"/.exec(page)?.[1])
  t.ok(since < Date.now() - 4_000 && since > Date.now() - 60_000, 'the page follows from a moment before now')
  t.equal((await post(cms, '/logout', { next: '/' }, { cookie })).statusCode, 303)
})

t.test('a push service that hangs holds up a save for a second, no longer', async t => {
  const { cms } = await withPush(t, () => new Promise(() => {}))
  const cookie = await login(cms, 'cleo')
  const start = performance.now()
  t.equal((await post(cms, '/article/1/comment', { text: 'Saved' }, { cookie })).statusCode, 303)
  t.ok(performance.now() - start < 3_000)
})
