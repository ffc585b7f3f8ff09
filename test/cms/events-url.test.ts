import t, { type Test } from 'tap'
import { connected, publish, until } from '../helpers/calls.js'
import { startEventsUrl } from '../helpers/events-url.js'
import { deadlineMs } from '../helpers/reader.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

t.jobs = 3

/** A server that reports to the URL, and users who come and go on it. */
async function begin(t: Test, eventsUrl: string) {
  const server = await startTestServer({ eventsUrl, presenceQuietMs: 0, presenceGraceMs: 1 })
  t.teardown(() => server.close())
  const come = async (uid: string) => {
    server.cms.identities.set(uid, { uid, channels: ['a'] })
    const reader = new SseReader(server.url, { token: uid })
    await reader.next('ready')
    return reader
  }
  /** A user who comes and goes. */
  const visit = async (uid: string) => {
    const before = await figures(server)
    const reader = await come(uid)
    reader.close()
    await until('the departure', async () => (await figures(server)).all >= before.all + 2)
  }
  return { server, come, visit }
}

/** The figures about events; `all`: those that the CMS was to be told of. */
async function figures(server: TestServer) {
  const { body } = await server.get('/stats', { authorization: `Bearer ${serviceKey}` })
  const events = body.events as Record<'waiting' | 'running' | 'told' | 'failures' | 'lost', number>
  return { ...events, all: events.waiting + events.running + events.told + events.lost }
}

/** Of each user, the events that were taken, in order. */
function byUser(taken: readonly string[]): Record<string, string> {
  const users: Record<string, string> = {}
  for (const each of taken) {
    const [uid = '', event] = each.split(' ')
    users[uid] = `${users[uid] ?? ''}${event === 'online' ? '+' : '-'}`
  }
  return users
}

t.test('the CMS is told by POST, with the service key, who came and who went', async t => {
  const events = await startEventsUrl()
  t.teardown(() => events.close())
  const { server, visit } = await begin(t, events.url)
  await visit('5')
  await until('the calls', () => events.taken.length === 2)
  t.strictSame(
    events.calls.map(({ event }) => event),
    [
      { type: 'online', uid: '5' },
      { type: 'offline', uid: '5' },
    ],
  )
  for (const { headers } of events.calls) {
    t.match(headers, { authorization: `Bearer ${serviceKey}`, 'content-type': 'application/json' })
  }
  t.match(await figures(server), { waiting: 0, running: 0, told: 2, failures: 0, lost: 0 })
})

t.test('without an events URL there are no figures about it', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const { body } = await server.get('/stats', { authorization: `Bearer ${serviceKey}` })
  t.equal(body.events, null)
})

t.test('an events URL that fails, is slow, and works again: everything, of each user in order', async t => {
  const events = await startEventsUrl()
  t.teardown(() => events.close())
  const { server, visit, come } = await begin(t, events.url)
  let calls = 0
  const slow: (() => void)[] = []
  events.answer = (_call, response) => {
    calls += 1
    // The first ones hang for a while, then come errors and redirects of all kinds, and connections that are cut.
    if (calls <= 3) {
      slow.push(() => response.writeHead(204).end())
      return undefined
    }
    if (calls === 4) response.destroy()
    return calls === 4 ? undefined : ([500, 302, 404, 429][calls - 5] ?? 204)
  }
  const uids = ['1', '2', '3', '4', '5']
  for (const uid of uids) {
    await visit(uid)
    await visit(uid)
  }
  const beginMs = performance.now()
  const reader = await come('6')
  await connected(server, 1)
  await publish(server, { channel: 'a', data: 1 })
  t.strictSame(await reader.messages(1), [1])
  t.ok(performance.now() - beginMs < deadlineMs / 2, 'nobody is held up')
  for (const answer of slow) answer()
  await until('all to be told', () => events.taken.length === 21)
  t.strictSame(byUser(events.taken), {
    1: '+-+-',
    2: '+-+-',
    3: '+-+-',
    4: '+-+-',
    5: '+-+-',
    6: '+',
  })
  t.match(await figures(server), { waiting: 0, running: 0, told: 21, lost: 0 })
  t.ok((await figures(server)).failures)
})

t.test('an events URL that is not there costs nobody anything', async t => {
  const events = await startEventsUrl()
  await events.close()
  const { server, come, visit } = await begin(t, events.url)
  await visit('1')
  await until('some failures', async () => (await figures(server)).failures > 1)
  const reader = await come('2')
  await publish(server, { channel: 'a', data: 1 })
  t.strictSame(await reader.messages(1), [1])
  t.match(await figures(server), { told: 0, lost: 0 })
  const beginMs = performance.now()
  await server.close()
  t.ok(performance.now() - beginMs < deadlineMs / 2)
})

t.test('a crowd does not run the CMS over', async t => {
  const events = await startEventsUrl()
  t.teardown(() => events.close())
  const { come } = await begin(t, events.url)
  const held: (() => void)[] = []
  events.answer = (_call, response) => {
    held.push(() => response.writeHead(204).end())
    return undefined
  }
  await Promise.all(Array.from({ length: 40 }, (_, uid) => come(String(uid))))
  await until('the calls', () => held.length === 16)
  while (events.taken.length < 40) {
    for (const answer of held.splice(0)) answer()
    const taken = events.taken.length
    await until('more calls', () => events.taken.length > taken || held.length > 0)
  }
  t.equal(events.most, 16)
})

t.test('a server stops although its events URL hangs', async t => {
  const events = await startEventsUrl()
  t.teardown(() => events.close())
  events.answer = () => undefined
  const { server, come } = await begin(t, events.url)
  await come('5')
  await until('the call', () => events.calls.length === 1)
  const beginMs = performance.now()
  await server.close()
  t.ok(performance.now() - beginMs < 10_000)
  t.strictSame(events.taken, [])
})
