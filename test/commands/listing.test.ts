import t from 'tap'
import { startForeignServer } from '../helpers/foreign-server.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import { run } from '../helpers/terminal.js'

const env = { DOWNPIPE_SERVICE_KEY: serviceKey }
const sinceMs = Date.parse('2026-01-02T03:04:05.678Z')

t.test('a listing is a table of whatever fields its rows have', async t => {
  const asked: (string | undefined)[] = []
  const answers: Record<string, unknown> = {
    users: [
      { uid: '5', connections: 12, since: sinceMs, channels: 3, behind: 0 },
      { uid: 'Ä\u009b\n', connections: 1, since: sinceMs, channels: 0, behind: 7, added: { later: true } },
    ],
    channels: [],
    connections: [
      { id: '1', uid: null, transport: 'sse', channels: ['a', 'b', 'c', 'd', 'e', 'f'], since: sinceMs },
    ],
  }
  const url = await startForeignServer(t, (request, response) => {
    asked.push(request.url)
    const list = /\/v1\/(\w+)/.exec(request.url ?? '')?.[1] ?? ''
    const nodes = { asked: 3, answered: list === 'users' ? 2 : 3 }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ [list]: answers[list], next: list === 'users' ? "a b'c" : null, nodes }))
  })
  const list = (...argv: readonly string[]) => run(t, [...argv, '--url', url], { env })

  const users = await list('users', '--limit=2', '--after=x', '--prefix=u', '--channel', 'a&b')
  const lines = [
    ['UID', 'CONNECTIONS  SINCE                     CHANNELS  BEHIND  ADDED'],
    ['5', '         12  2026-01-02T03:04:05.678Z         3       0  -'],
    ['Ä\\u009b\\u000a', '          1  2026-01-02T03:04:05.678Z         0       7  {"later":true}'],
  ] as const
  t.equal(users.out, lines.map(([uid, rest]) => `${uid.padEnd(13)}  ${rest}\n`).join(''))
  t.equal(users.err, "there are more: --after 'a b'\\''c'\nnot complete: 2 of 3 nodes answered\n")
  t.strictSame(await list('channels', '--prefix', 'x'), { code: 0, out: 'none\n', err: '' })
  const connections = await list('connections', '--uid', '5', '--channel', 'a')
  t.match(connections, { code: 0, out: /^1 +- +sse +a, b, c, d and 2 more +2026-01-02T/m, err: '' })
  t.strictSame(JSON.parse((await list('users', '--json')).out), {
    users: answers.users,
    next: "a b'c",
    nodes: { asked: 3, answered: 2 },
  })
  t.strictSame(asked, [
    '/v1/users?prefix=u&channel=a%26b&after=x&limit=2',
    '/v1/channels?prefix=x',
    '/v1/connections?uid=5&channel=a',
    '/v1/users',
  ])
})

t.test('one user or channel is a line for each field, and a table of its connections', async t => {
  const asked: (string | undefined)[] = []
  const url = await startForeignServer(t, (request, response) => {
    asked.push(request.url)
    response.setHeader('content-type', 'application/json')
    const connections = [{ id: '1', transport: 'sse' }]
    const nodes = { asked: 1, answered: 1 }
    response.end(JSON.stringify({ uid: 'a/b', online: true, channels: [], connections, next: null, nodes }))
  })
  const one = await run(t, ['users', 'a/b', '--url', url], { env })
  t.strictSame(one, {
    code: 0,
    out: 'uid       a/b\nonline    true\nchannels  -\n\nconnections:\nID  TRANSPORT\n1   sse\n',
    err: '',
  })
  await run(t, ['channels', 'nodes?x', '--url', url], { env })
  // It was left out in silence, as if what was shown were all that matched.
  for (const filtered of [
    ['users', '5', '--channel=news'],
    ['users', '5', '--prefix=6'],
    ['channels', 'news', '--prefix=x'],
  ]) {
    t.match(await run(t, [...filtered, '--url', url], { env }), {
      code: 2,
      out: '',
      err: /--prefix.*: only for the list/,
    })
  }
  t.strictSame(asked, ['/v1/users/a%2Fb', '/v1/channels/nodes%3Fx'])
})

t.test('a real server answers what is asked, page by page', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const list = (...argv: readonly string[]) => run(t, [...argv, '--url', server.url], { env })
  for (const uid of ['5', '6', '7/8']) {
    server.cms.identities.set(`token-${uid}`, { uid, channels: ['news', `user ${uid}`] })
    const reader = new SseReader(server.url, { token: `token-${uid}` })
    t.teardown(() => reader.close())
    await reader.next('ready')
  }
  const first = await list('users', '--limit=2')
  t.match(first, { code: 0, out: /^UID .*\n5 .*\n6 .*\n$/ })
  const [, after = ''] = /--after (\S+)\n/.exec(first.err) ?? []
  t.match(await list('users', '--limit=2', '--after', after), { out: /^UID .*\n7\/8 .*\n$/, err: '' })
  t.match(await list('users', '--prefix=7', '--channel=news'), { out: /^UID .*\n7\/8 .*\n$/ })
  t.match(await list('users', '7/8'), { out: /^uid +7\/8\n(.*\n)+connections:\nID .*\n.* sse / })
  t.match(await list('channels', '--prefix=n'), { out: /^CHANNEL +SUBSCRIBERS\nnews +3\n$/ })
  t.match(await list('channels', 'user 5'), { out: /^channel +user 5\nsubscribers +1\n/ })
  t.match(await list('connections', '--uid=6', '--channel=news'), { out: /^ID .*\n\S+ +6 +sse / })
  t.match(await list('users', '--after=nonsense'), { code: 1, err: /400, DOWNPIPE_INVALID_REQUEST/ })
})
