import t from 'tap'
import { connected, publish } from '../helpers/calls.js'
import { poll, pollBody } from '../helpers/poll-reader.js'
import { startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

/** A server on which user 7 may see users 5 and 6. */
async function begin(t: { teardown(end: () => Promise<void>): void }) {
  const server = await startTestServer({ presenceQuietMs: 0, presenceGraceMs: 60_000 })
  t.teardown(() => server.close())
  const { identities } = server.cms
  identities.set('seven', { uid: '7' })
  for (const uid of ['5', '6']) identities.set(uid, { uid, visibleTo: ['7'] })
  const join = async (token: string) => {
    const reader = new SseReader(server.url, { token })
    await reader.next('ready')
    return reader
  }
  const ask = (since: string | null, v: string | undefined, wait = '20') =>
    poll(server.url, { token: 'seven', since: since ?? '', query: { v: v ?? '', wait } }).then(pollBody)
  const start = async () => pollBody(await poll(server.url, { token: 'seven' }))
  return { server, join, ask, start }
}

const online = (uid: string) => ({ type: 'presence', data: { uid, event: 'online' } })

t.test('a stream tells a change by a message without an id, which moves nobody’s place', async t => {
  const { server, join } = await begin(t)
  const viewer = await join('seven')
  const { cursor } = viewer
  await join('5')
  t.strictSame(await viewer.next(), { event: 'message', id: undefined, data: online('5') })
  t.equal(viewer.cursor, cursor)
  const id = await publish(server, { uid: '7', data: 1 })
  t.equal((await viewer.next('message')).id, id)
})

t.test('a poll that waits is answered with the change and the state that follows from it', async t => {
  const { server, join, ask, start } = await begin(t)
  const first = await start()
  t.match(first.ready, { presence: [] })
  const waiting = ask(first.cursor, first.ready?.v)
  await connected(server, 1)
  await join('5')
  const second = await waiting
  t.strictSame(second.messages, [online('5')])
  t.equal(second.cursor, first.cursor)
  t.match(second.ready, { presence: ['5'] })
  const third = ask(second.cursor, second.ready?.v)
  await connected(server, 2)
  await publish(server, { uid: '7', data: 1 })
  t.match(await third, { messages: [{ data: 1 }], ready: undefined }, 'which the next poll does not repeat')
})

t.test('a change between two polls is in the ready of the next one', async t => {
  const { join, ask, start } = await begin(t)
  const first = await start()
  await join('5')
  await join('6')
  const second = await ask(first.cursor, first.ready?.v)
  t.match(second.ready, { presence: ['5', '6'] })
  t.strictSame(second.messages, [])
  t.strictSame(await ask(second.cursor, second.ready?.v, '0'), { cursor: second.cursor, messages: [] })
})

t.test('a poll that waits for a place ahead of this server waits, whoever comes meanwhile', async t => {
  const { server, join, ask, start } = await begin(t)
  const { cursor, ready } = await start()
  const ahead = `${cursor?.split('-')[0]}-99`
  const waiting = ask(ahead, ready?.v)
  await connected(server, 1)
  await join('5')
  await join('6')
  t.match(await waiting, { messages: [], gap: { reason: 'ahead' } })
})
