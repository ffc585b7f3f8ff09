import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connected, until } from '../helpers/calls.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import { run } from '../helpers/terminal.js'

t.test('publish', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.identities.set('token-of-five', { uid: '5', channels: ['news'] })
  const env = { DOWNPIPE_URL: server.url, DOWNPIPE_SERVICE_KEY: serviceKey }
  const reader = new SseReader(server.url, { token: 'token-of-five' })
  t.teardown(() => reader.close())
  await reader.next('ready')
  const publish = (...argv: readonly string[]) => run(t, ['publish', ...argv], { env })

  t.test('sends what it is given, and prints the id', async t => {
    const { code, out, err } = await publish('news', '{"title":"ä\\n"}')
    t.match({ code, out, err }, { code: 0, out: /^\d+-\d+\n$/, err: '' })
    t.match(await reader.next('message'), {
      id: out.trim(),
      data: { channel: 'news', data: { title: 'ä\n' } },
    })
  })

  t.test('reads the standard input for - and for nothing', async t => {
    for (const argv of [['news', '-'], ['news']]) {
      const { code } = await run(t, ['publish', ...argv], { env, input: '[1,\n2]\n' })
      t.equal(code, 0)
      t.strictSame(await reader.messages(1), [[1, 2]])
    }
  })

  t.test('every field of a message can be given', async t => {
    const argv = ['--uid', '5', 'label', '1', '--type=t', '--callback=a,b', '--ttl=1m', '--idempotency-key=k']
    const first = await publish(...argv, '--json')
    t.match(await reader.next('message'), {
      data: { channel: 'label', data: 1, type: 't', callback: ['a', 'b'] },
    })
    const again = await publish(...argv, '--json')
    t.strictSame(again, first, 'the same key: the same answer')
    t.match(JSON.parse(first.out), { id: String })
    const other = await publish(...argv.with(3, '2'))
    t.match(other, {
      code: 1,
      out: '',
      err: /^downpipe publish: .*\(422, DOWNPIPE_IDEMPOTENCY_CONFLICT\)\n$/,
    })
  })

  t.test('a single word beside --uid or --broadcast is the data', async t => {
    for (const target of [['--uid=5'], ['--uid=4,5'], ['--broadcast']]) {
      t.match(await publish(...target, '"to you"'), { code: 0 })
      t.strictSame((await reader.next('message')).data, { data: 'to you' })
    }
  })

  t.test('what starts with a dash follows --', async t => {
    t.match(await publish('--', 'news', '-5'), { code: 0 })
    t.strictSame(await reader.messages(1), [-5])
  })

  t.test('text that is not JSON, and a message to nobody, are errors that say so', async t => {
    const told = [
      [['news', 'Hello'], /the data is not JSON; a text has quotes/],
      [['news'], /the standard input is not JSON/],
      [['--uid=5', 'news'], /the data is not JSON/],
      [[], /to whom\?/],
      [['--uid=5', '--broadcast', '1'], /exclude each other/],
      [['a', '1', '2'], /too many arguments/],
    ] as const
    for (const [argv, message] of told) {
      t.match(await publish(...argv), { code: 2, out: '', err: message })
    }
  })

  t.test('what the server refuses is said in its words', async t => {
    t.match(await publish('news*', '1'), { code: 1, out: '', err: /must not end in \* \(400, DOWNPIPE_/ })
  })
})

t.test('kick, logout and refresh', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const env = { DOWNPIPE_URL: server.url, DOWNPIPE_SERVICE_KEY: serviceKey }
  for (const uid of ['5', '6', '7']) server.cms.identities.set(`token-${uid}`, { uid, channels: ['a'] })
  const read = async (uid: string) => {
    const reader = new SseReader(server.url, { token: `token-${uid}` })
    t.teardown(() => reader.close())
    await reader.next('ready')
    return reader
  }

  t.test('kick closes the connections of a user and holds the user off', async t => {
    const reader = await read('5')
    const kicked = await run(t, ['kick', '5', '--hold', '1m'], { env })
    t.strictSame(kicked, { code: 0, out: 'user 5 was kicked\n', err: '' })
    t.match((await reader.next('close')).data, { reason: 'kick' })
    const { status, body } = await server.get('/poll?token=token-5')
    t.match({ status, body }, { status: 403, body: { code: 'DOWNPIPE_USER_KICKED' } })
    t.ok(Number(body.retryAfter) > 5, 'as long as was asked for')
  })

  t.test('logout closes the connections of a token, which it takes from the standard input, too', async t => {
    for (const [uid, argv, input] of [
      ['6', ['logout', '-'], 'token-6\n'],
      ['7', ['logout', 'token-7', '--json'], ''],
    ] as const) {
      const reader = await read(uid)
      const { code, out, err } = await run(t, argv, { env, input })
      t.equal(code, 0)
      t.equal(out, uid === '7' ? '{}\n' : 'the token was logged out\n')
      t.notMatch(out + err, 'token-')
      t.match((await reader.next('close')).data, { reason: 'logout' })
    }
    t.match(await run(t, ['logout', '-'], { env, input: '\n' }), { code: 2, err: /there is no token/ })
  })

  t.test('refresh has the CMS asked again about a user', async t => {
    await connected(server, 0)
    server.cms.identities.set('token-8', { uid: '8', channels: ['a'] })
    const reader = await read('8')
    server.cms.identities.set('token-8', { uid: '8', channels: ['a', 'b'] })
    t.match(await run(t, ['refresh', '8'], { env }), { code: 0, out: 'user 8 is asked about again\n' })
    t.match((await reader.next('ready')).data, { channels: ['a', 'b'] })
  })
})

t.test('stats are a line for each figure, or the document', async t => {
  const server = await startTestServer({ anonymousChannels: ['*'] })
  t.teardown(() => server.close())
  const env = { DOWNPIPE_URL: server.url, DOWNPIPE_SERVICE_KEY: serviceKey }
  const reader = new SseReader(server.url, { channels: ['a'] })
  t.teardown(() => reader.close())
  await reader.next('ready')
  const people = await run(t, ['stats'], { env })
  t.match(people, { code: 0, out: /^connections\.sse +1$/m, err: '' })
  const machines = await run(t, ['stats', '--json'], { env })
  t.match(JSON.parse(machines.out), { connections: { sse: 1, poll: 0 } })
})

t.test('a server on a Unix socket is called like any other', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'downpipe-cli-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const path = join(directory, 'push.sock')
  const server = await startTestServer({ listen: [{ host: '127.0.0.1', port: 0 }, { path }] })
  t.teardown(() => server.close())
  const key = ['--key', serviceKey]
  t.match(await run(t, ['publish', 'a', '1', ...key, '--url', `unix:${path}`]), { code: 0 })
  await until('stored', async () => (await run(t, ['stats', ...key, '--url', server.url])).out.includes('-1'))
  const missing = await run(t, ['stats', ...key, '--url', `unix:${path}.not`])
  t.match(missing, { code: 3, err: `unix:${path}.not: there is no such socket` })
})
