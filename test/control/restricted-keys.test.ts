import t, { type Test } from 'tap'
import type { ServiceKey } from '../../src/auth/service-key.js'
import { answerProblems, readDescription } from '../helpers/openapi.js'
import { poll } from '../helpers/poll-reader.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

const logKey = 'a-key-for-the-log-only'

async function startWith(t: Test, ...keys: readonly ServiceKey[]): Promise<TestServer> {
  const server = await startTestServer({ serviceKeys: [...keys, serviceKey] })
  t.teardown(() => server.close())
  return server
}

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** A call with the key. */
async function call(
  server: TestServer,
  key: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${server.url}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  return { status: response.status, body: Object(answer) }
}

function restricted(message: RegExp | string): object {
  return {
    status: 403,
    body: { statusCode: 403, code: 'DOWNPIPE_KEY_RESTRICTED', error: 'Forbidden', message },
  }
}

t.test('a key for channels publishes to these, and to nobody else', async t => {
  const server = await startWith(t, { key: logKey, channels: ['log_*', 'status'] })
  const publish = (body: unknown) => call(server, logKey, 'POST', '/publish', body)
  for (const body of [
    { channel: 'log_1' },
    { channels: ['log_1', 'status'] },
    [{ channel: 'log_1' }, { channel: 'status', data: 1 }],
  ]) {
    t.match(await publish(body), { status: 200 }, JSON.stringify(body))
  }
  const before = (await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })).body
  const others = restricted('this service key may not publish to users or to everybody, only to channels')
  const channel = (name: string) =>
    restricted(`this service key may not publish: the channel ${JSON.stringify(name)}`)
  for (const [body, refusal] of [
    [{ channel: 'news' }, channel('news')],
    [{ channel: 'log' }, channel('log')],
    [{ channel: 'status_' }, channel('status_')],
    [{ channels: ['log_1', 'news'] }, channel('news')],
    [[{ channel: 'log_1' }, { channel: 'news' }], channel('news')],
    [{ uid: '5' }, others],
    [{ uid: '5', channel: 'log_1' }, others],
    [{ uids: ['5', '6'], channel: 'log_1' }, others],
    [{ broadcast: true }, others],
    [{ broadcast: true, channel: 'log_1' }, others],
  ] as const) {
    t.match(await publish(body), refusal, JSON.stringify(body))
  }
  // What is not of the form is said first, as to every other key.
  const mixed = [{ channel: 'log_a' }, { channel: 'log_a' }, { channel: 'secret_channel' }]
  t.match(await publish(mixed), { status: 403, body: { index: 2 } }, 'of an array it is said which')
  t.match(await publish({ channel: 'news', chanel: 1 }), { status: 400 })
  const after = (await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })).body
  t.strictSame(after, before, 'nothing of it was stored')
})

t.test('what one key for channels has made idempotent keeps nobody else from publishing', async t => {
  const other = { key: 'a-key-for-another-log', channels: ['log_2'] }
  // The same rights by another key: one that is being replaced, say.
  const next = { key: 'the-next-key-for-the-log', channels: ['log_1'] }
  const server = await startWith(t, { key: logKey, channels: ['log_1'] }, other, next)
  const entry = (channel: string, data = 1) => ({ channel, data, idempotencyKey: 'entry-1' })
  const first = await call(server, logKey, 'POST', '/publish', entry('log_1'))
  t.match(first, { status: 200 })
  t.match(await call(server, other.key, 'POST', '/publish', entry('log_2')), { status: 200 })
  t.match(await server.post('/publish', entry('news')), { status: 200 })
  t.strictSame(await call(server, next.key, 'POST', '/publish', entry('log_1')), first)
  t.match(await call(server, logKey, 'POST', '/publish', [entry('log_1', 2)]), { status: 422 })
})

t.test('a key for channels reads these, and does nothing that is not named for it', async t => {
  const server = await startWith(t, { key: logKey, channels: ['log_*', 'status'] })
  const headers = { authorization: `Bearer ${logKey}` }
  const reader = new SseReader(server.url, { headers })
  t.teardown(() => reader.close())
  t.match(await reader.next('ready'), { data: { uid: null, channels: ['status'] } })
  const named = new SseReader(server.url, { headers, channels: ['log_7', 'log_8'] })
  t.teardown(() => named.close())
  await named.next('ready')
  await server.post('/publish', [
    { channel: 'news', data: 'not for it' },
    { uid: '5', data: 'nor this' },
    { channel: 'log_8', data: 'this' },
  ])
  t.strictSame(await named.messages(1), ['this'])
  const other = new SseReader(server.url, { headers, channels: ['log_7', 'news'] })
  t.match(await other.next('refused'), {
    data: { status: 403, body: { code: 'DOWNPIPE_CHANNEL_FORBIDDEN' } },
  })
  t.match(await poll(server.url, { headers, channels: ['news'], query: { wait: '0' } }), {
    status: 403,
    body: { code: 'DOWNPIPE_CHANNEL_FORBIDDEN', channel: 'news' },
  })
  t.match(await call(server, logKey, 'GET', '/cursor'), { status: 200 })
  for (const [method, path, body] of [
    ['POST', '/kick', { uid: '5' }],
    ['POST', '/logout', { token: 'x' }],
    ['GET', '/users'],
    ['GET', '/users/5'],
    ['GET', '/channels'],
    ['GET', '/channels/log_1'],
    ['GET', '/connections'],
    ['GET', '/stats'],
    ['GET', '/stats/stream'],
  ] as const) {
    t.match(await call(server, logKey, method, path, body), restricted(/^this service key may not /), path)
  }
})

t.test('a key for operations does these, with all channels and all users', async t => {
  const server = await startWith(t, { key: logKey, operations: ['publish', 'kick'] })
  for (const body of [{ channel: 'news' }, { uid: '5' }, { broadcast: true }]) {
    t.match(await call(server, logKey, 'POST', '/publish', body), { status: 200 })
  }
  t.match(await call(server, logKey, 'POST', '/kick', { uid: '5' }), { status: 200 })
  t.match(
    await call(server, logKey, 'POST', '/logout', { token: 'x' }),
    restricted(/may not log tokens out$/),
  )
  const headers = { authorization: `Bearer ${logKey}` }
  const refusal = { status: 403, body: { code: 'DOWNPIPE_KEY_RESTRICTED', message: /may not read$/ } }
  t.match(await new SseReader(server.url, { headers, channels: ['news'] }).next('refused'), { data: refusal })
  t.match(await poll(server.url, { headers, channels: ['news'] }), refusal)
  t.match(await call(server, logKey, 'GET', '/cursor'), restricted(/may not read$/))
})

t.test('a key for channels that may list is shown these channels, and who is on them', async t => {
  const server = await startWith(t, { key: logKey, channels: ['log_*'], operations: ['list'] })
  server.cms.identities.set('both', { uid: '5', channels: ['log_1', 'news', 'user_5'] })
  server.cms.identities.set('other', { uid: '7', channels: ['news'] })
  for (const token of ['both', 'other']) {
    const reader = new SseReader(server.url, { token })
    t.teardown(() => reader.close())
    await reader.next('ready')
  }
  const description = await readDescription(server.url)
  const list = async (path: string) => {
    const { status, body } = await call(server, logKey, 'GET', path)
    const route = path
      .replace(/\?.*/, '')
      .replace(/\/5|\/7/, '/{uid}')
      .replace(/\/log_1|\/news/, '/{channel}')
    t.strictSame(answerProblems(description, `GET /v1${route}`, status, body), [])
    return { status, body }
  }
  t.match(await list('/channels'), { body: { channels: [{ channel: 'log_1', subscribers: 1 }] } })
  t.strictSame(Object((await list('/channels')).body.channels).length, 1)
  const { users } = (await list('/users')).body
  t.match(users, [{ uid: '5', channels: 1 }])
  t.equal(Object(users).length, 1)
  const { connections } = (await list('/connections')).body
  t.equal(Object(connections).length, 1)
  t.strictSame(Object(connections)[0].channels, ['log_1'])
  t.match(await list('/users/5'), { body: { online: true, channels: ['log_1'] } })
  t.match(await list('/users/7'), { body: { online: false, connections: [] } })
  t.match(await list('/channels/log_1'), { body: { subscribers: 1, connections: [{ channels: ['log_1'] }] } })
  for (const path of ['/channels/news', '/users?channel=news', '/connections?channel=news']) {
    t.match(await list(path), restricted(/the channel "news"$/), path)
  }
})

t.test(
  'a hundred sites post their log, each with a key of its own, and a central page shows them all',
  async t => {
    const sites = Array.from({ length: 100 }, (_, site) => ({
      key: `the-key-of-the-site-${site}`,
      log: `log_${site}`,
    }))
    const server = await startWith(t, ...sites.map(({ key, log }) => ({ key, channels: [log] })))
    const identity = JSON.stringify({ uid: 'editor', channels: sites.map(({ log }) => log) })
    const shownKeys: (string | undefined)[] = []
    server.cms.answer = (_token, response, { headers }) => {
      shownKeys.push(headers.authorization)
      response.setHeader('content-type', 'application/json')
      response.end(identity)
    }
    const page = new SseReader(server.url, { token: 'central' })
    t.teardown(() => page.close())
    await page.next('ready')
    const posted = await Promise.all(
      sites.map(({ key, log }) => call(server, key, 'POST', '/publish', { channel: log, data: `of ${log}` })),
    )
    t.ok(posted.every(({ status }) => status === 200))
    const shown = await page.messages(sites.length)
    t.strictSame(shown.toSorted(), sites.map(({ log }) => `of ${log}`).toSorted())
    // None may post, or read, what is another's; log_1 is not log_10.
    const [, one, two] = sites
    if (one === undefined || two === undefined) throw new Error('no sites')
    for (const log of [two.log, 'log_10', 'log_', 'news']) {
      t.match(
        await call(server, one.key, 'POST', '/publish', { channel: log }),
        restricted(/the channel/),
        log,
      )
      const headers = { authorization: `Bearer ${one.key}` }
      t.match(await poll(server.url, { headers, channels: [log] }), { status: 403 }, log)
    }
    // The CMS is asked with the key that may do everything, though it is the last of all.
    t.strictSame(shownKeys, [`Bearer ${serviceKey}`])
  },
)
