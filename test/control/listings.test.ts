import t, { type Test } from 'tap'
import { connected, publish } from '../helpers/calls.js'
import { answerProblems, type Description, readDescription } from '../helpers/openapi.js'
import { PollReader } from '../helpers/poll-reader.js'
import type { Ask, Reader } from '../helpers/reader.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

const authorization = `Bearer ${serviceKey}`

/** A server whose listings are held to their schemas. */
class Listed {
  readonly server: TestServer
  readonly #t: Test
  readonly #description: Description

  constructor(t: Test, server: TestServer, description: Description) {
    this.#t = t
    this.server = server
    this.#description = description
  }

  /** The answer of a listing; its description is that of `path` with `{uid}` or `{channel}`. */
  async list(path: string, query = '', ...names: readonly string[]): Promise<Record<string, unknown>> {
    let at = 0
    const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(names[at++] ?? ''))
    const { status, body } = await this.server.get(filled + query, { authorization })
    this.#t.strictSame(answerProblems(this.#description, `GET /v1${path}`, status, body), [])
    return body
  }

  /** All pages of a listing, one after the other. */
  async pages(path: string, rows: string, limit: number): Promise<unknown[][]> {
    const pages: unknown[][] = []
    for (let after = ''; pages.length < 50; ) {
      const body = await this.list(path, `?limit=${limit}${after}`)
      const page = body[rows]
      if (!Array.isArray(page)) throw new Error(`no ${rows}`)
      pages.push(page)
      if (body.next === null) return pages
      after = `&after=${body.next}`
    }
    throw new Error('the pages do not end')
  }

  async stream(ask: Ask): Promise<Reader> {
    const reader = new SseReader(this.server.url, ask)
    this.#t.teardown(() => reader.close())
    await reader.next('ready')
    return reader
  }

  async poll(ask: Ask): Promise<Reader> {
    const reader = new PollReader(this.server.url, ask)
    this.#t.teardown(() => reader.close())
    await reader.next('ready')
    return reader
  }
}

async function startListed(t: Test): Promise<Listed> {
  const server = await startTestServer({ anonymousChannels: ['open_*'] })
  t.teardown(() => server.close())
  server.cms.identities.set('five', { uid: '5', channels: ['news', 'user_5'] })
  server.cms.identities.set('five again', { uid: 5, channels: ['staff', 'news'] })
  server.cms.identities.set('seven', { uid: 'sévèn/7', channels: ['news', 'Straße 1/2'] })
  return new Listed(t, server, await readDescription(server.url))
}

t.test('users, with what they are connected by', async t => {
  const listed = await startListed(t)
  const beganMs = Date.now()
  t.strictSame(await listed.list('/users'), { users: [], next: null, nodes: { asked: 1, answered: 1 } })
  await listed.stream({ token: 'five' })
  const afterFirstMs = Date.now()
  await listed.stream({ token: 'five again' })
  await listed.poll({ token: 'seven' })
  await listed.stream({ channels: ['open_1'] })
  await connected(listed.server, 4)
  const { users } = await listed.list('/users')
  t.match(users, [
    { uid: '5', connections: 2, channels: 3, behind: 0, since: Number },
    { uid: 'sévèn/7', connections: 1, channels: 2, behind: 0 },
  ])
  const since = Object(users)[0].since
  t.ok(since >= beganMs - 1 && since <= afterFirstMs + 1, 'since the first of the two')
  const uids = async (query: string) =>
    Object(await listed.list('/users', query)).users.map(({ uid }: { uid: string }) => uid)
  t.strictSame(await uids('?channel=staff'), ['5'])
  t.strictSame(await uids('?channel=news&prefix=s'), ['sévèn/7'])
  t.strictSame(await uids('?uid=5'), ['5'])
  t.strictSame(await uids('?uid=5&channel=open_1'), [])
  t.strictSame(await uids('?prefix=55'), [])
})

t.test('one user, and one who is not there', async t => {
  const listed = await startListed(t)
  await listed.stream({ token: 'five' })
  await listed.stream({ token: 'five again' })
  const user = await listed.list('/users/{uid}', '', '5')
  t.match(user, {
    uid: '5',
    online: true,
    since: Number,
    channels: ['news', 'user_5', 'staff'],
    connections: [
      { uid: '5', transport: 'sse', channels: ['news', 'user_5'], state: 'live' },
      { uid: '5', transport: 'sse', channels: ['staff', 'news'], state: 'live' },
    ],
    next: null,
  })
  const first = await listed.list('/users/{uid}', '?limit=1', '5')
  t.match(first, { channels: { length: 3 }, connections: { length: 1 } })
  const second = await listed.list('/users/{uid}', `?limit=1&after=${first.next}`, '5')
  t.match(second, { connections: [{ channels: ['staff', 'news'] }], next: null })
  t.strictSame(await listed.list('/users/{uid}', '', 'sévèn/7'), {
    uid: 'sévèn/7',
    online: false,
    since: null,
    behind: 0,
    channels: [],
    added: [],
    connections: [],
    next: null,
    nodes: { asked: 1, answered: 1 },
  })
})

t.test('channels, and who listens on one', async t => {
  const listed = await startListed(t)
  await listed.stream({ token: 'five' })
  await listed.poll({ token: 'seven' })
  await connected(listed.server, 2)
  const all = await listed.list('/channels')
  t.strictSame(all.channels, [
    { channel: 'Straße 1/2', subscribers: 1 },
    { channel: 'news', subscribers: 2 },
    { channel: 'user_5', subscribers: 1 },
  ])
  t.match(await listed.list('/channels', '?prefix=user_'), { channels: { length: 1 } })
  t.match(await listed.list('/channels/{channel}', '', 'news'), {
    channel: 'news',
    subscribers: 2,
    connections: [
      { uid: '5', transport: 'sse' },
      { uid: 'sévèn/7', transport: 'poll' },
    ],
  })
  t.match(await listed.list('/channels/{channel}', '', 'Straße 1/2'), {
    subscribers: 1,
    connections: [{ uid: 'sévèn/7' }],
  })
  const nobody = { subscribers: 0, connections: [], next: null }
  for (const name of ['nobody is here', 'x'.repeat(200)]) {
    t.match(await listed.list('/channels/{channel}', '', name), { channel: name, ...nobody })
  }
})

t.test('connections, each once on the pages, and those that ended are gone', async t => {
  const listed = await startListed(t)
  const readers: Reader[] = []
  for (let i = 0; i < 5; i += 1) readers.push(await listed.stream({ channels: [`open_${i % 2}`] }))
  await listed.stream({ headers: { authorization }, channels: ['news'] })
  const pages = await listed.pages('/connections', 'connections', 2)
  t.strictSame(
    pages.map(page => page.length),
    [2, 2, 2],
  )
  const ids = pages.flat().map(connection => Number(Object(connection).id))
  t.strictSame(
    ids,
    ids.toSorted((one, other) => one - other),
  )
  t.equal(new Set(ids).size, 6)
  t.match(pages.flat().at(-1), { uid: null, channels: ['news'], queuedBytes: 0, behind: 0 })
  t.match(await listed.list('/connections', '?channel=open_1'), { connections: { length: 2 } })
  t.match(await listed.list('/connections', '?uid=5'), { connections: [] })
  readers[0]?.close()
  await connected(listed.server, 5)
  t.match(await listed.list('/connections', '?channel=open_0'), { connections: { length: 2 } })
})

t.test('pages of users and of channels are all of them, in order', async t => {
  const listed = await startListed(t)
  const names = ['ä', 'a', 'B', 'zz', '\u{1F600}', '\uFF5E', '10', '9']
  for (const name of names) {
    listed.server.cms.identities.set(name, { uid: name, channels: [`on ${name}`] })
    await listed.stream({ token: name })
  }
  const uids = (await listed.pages('/users', 'users', 3)).flat().map(row => Object(row).uid)
  t.strictSame(uids, names.toSorted())
  const channels = (await listed.pages('/channels', 'channels', 1)).flat().map(row => Object(row).channel)
  t.strictSame(channels, names.map(name => `on ${name}`).toSorted())
})

t.test('a listing tells no token and no key', async t => {
  const listed = await startListed(t)
  listed.server.cms.identities.set('a-secret-token', { uid: '9', channels: ['a'], info: 'private' })
  await listed.stream({ token: 'a-secret-token' })
  await listed.stream({ headers: { authorization }, channels: ['a'] })
  for (const path of ['/users', '/connections', '/channels']) {
    const text = JSON.stringify(await listed.list(path))
    t.notMatch(text, /secret|private|hash/i)
    t.notMatch(text, serviceKey)
  }
})

t.test('what a listing does not understand is refused, and it is said what', async t => {
  const { server } = await startListed(t)
  const place = Buffer.from('["users","5"]').toString('base64url')
  for (const [path, message] of [
    ['/users?limit=0', 'query.limit: must be >= 1'],
    ['/users?limit=1001', 'query.limit: must be <= 1000'],
    ['/users?limit=ten', 'query.limit: must be integer'],
    ['/users?limit=1.5', 'query.limit: must be integer'],
    ['/users?limit=true', 'query.limit: must be integer'],
    ['/users?limit=1&limit=2', 'query.limit: must be integer'],
    ['/users?chanel=a', 'query: unknown field "chanel"'],
    ['/channels?uid=5', 'query: unknown field "uid"'],
    ['/connections?uid=', /^query\.uid: /],
    ['/connections?uid=5&uid=6', 'query.uid: must be string'],
    ['/users?after=x', /^query\.after: /],
    ['/users?after=', /^query\.after: /],
    [`/channels?after=${place}`, /^query\.after: /],
    [`/connections?after=${place}`, /^query\.after: /],
    [`/users?after=${Buffer.from('["users",5]').toString('base64url')}`, /^query\.after: /],
    [`/users/${'x'.repeat(201)}`, /^path\.uid: /],
    ['/users/', /^path\.uid: /],
    ['/channels/%E0%A4%A', 'the address is not well-formed'],
  ] as const) {
    const answer = await server.get(path, { authorization })
    t.match(answer, { status: 400, body: { code: 'DOWNPIPE_INVALID_REQUEST', message } }, path)
  }
  t.match(await server.get(`/users?after=${place}`, { authorization }), { status: 200 })
})

t.test('one who is behind is shown to be, until it has read', async t => {
  const listed = await startListed(t)
  const reader = new SseReader(listed.server.url, { channels: ['open_1'] })
  t.teardown(() => reader.close())
  await reader.next('ready')
  reader.socket?.pause()
  const data = 'x'.repeat(200_000)
  const count = 60
  for (let i = 0; i < count; i += 1) await publish(listed.server, { channel: 'open_1', data })
  const { connections } = await listed.list('/connections')
  const [row] = Array.isArray(connections) ? connections : []
  t.ok(row.behind > 0 && row.behind <= count, `${row.behind} behind`)
  t.ok(row.queuedBytes > 0)
  reader.socket?.resume()
  await reader.messages(count)
  t.match(await listed.list('/connections'), { connections: [{ behind: 0, queuedBytes: 0, state: 'live' }] })
})
