import t from 'tap'
import { serviceKey, startHost } from '../helpers/embedded.js'
import { poll, pollBody } from '../helpers/poll-reader.js'
import { SseReader } from '../helpers/sse-reader.js'

const verify = (token: string) => ({ uid: token, channels: ['news'] })

t.test('the program publishes without HTTP, with the ids and errors of a publish call', async t => {
  const { app, url } = await startHost(t, { services: [{ verify, maxDataBytes: 1_024 }] })
  const { downpipe } = app
  t.equal(downpipe.name, 'default')
  const before = downpipe.cursor()
  const id = await downpipe.publish({ channel: 'news', data: { at: new Date(0), nothing: undefined } })
  t.match(id, /^\d+-1$/)
  t.match(await downpipe.publish([{ uid: 'ada', data: 1 }, { broadcast: true }]), [/-2$/, /-3$/])
  t.match(downpipe.cursor(), /-3$/)
  const { messages } = pollBody(await poll(url, { token: 'ada', since: before }))
  t.match(messages, [{ id, data: { at: '1970-01-01T00:00:00.000Z' } }, { data: 1 }, { data: null }])
  const once = { channel: 'news', data: 1, idempotencyKey: 'k' }
  t.equal(await downpipe.publish(once), await downpipe.publish(once))

  const circular: Record<string, unknown> = {}
  circular.self = circular
  const refused = [
    [{}, 'DOWNPIPE_INVALID_REQUEST'],
    [undefined, 'DOWNPIPE_INVALID_REQUEST'],
    [{ channel: 'news', data: circular }, 'DOWNPIPE_INVALID_REQUEST'],
    [{ channel: 'news', data: 1n }, 'DOWNPIPE_INVALID_REQUEST'],
    [[], 'DOWNPIPE_INVALID_REQUEST'],
    [{ channel: 'news', data: 'x'.repeat(2_000) }, 'DOWNPIPE_TOO_LARGE'],
    [{ ...once, data: 2 }, 'DOWNPIPE_IDEMPOTENCY_CONFLICT'],
  ] as const
  for (const [message, code] of refused) {
    await t.rejects(Reflect.apply(downpipe.publish, downpipe, [message]), { code })
  }
})

t.test('what was published may be changed afterwards without being sent otherwise', async t => {
  const { app, url } = await startHost(t, { services: [{ verify }] })
  const data = { likes: 1 }
  const published = app.downpipe.publish({ channel: 'news', data })
  data.likes = 2
  await published
  t.match(pollBody(await poll(url, { token: 'ada', since: '0' })).messages, [{ data: { likes: 1 } }])
})

t.test('the program kicks, logs out, adds and removes, and reads the figures', async t => {
  const { app, url } = await startHost(t, { services: [{ verify }] })
  const { downpipe } = app
  const stream = new SseReader(url, { token: 'ada' })
  await stream.next('ready')
  await downpipe.addToChannel('ada', 'extra')
  t.match(await stream.next('ready'), { data: { channels: ['news', 'extra'] } })
  await downpipe.removeFromChannel('ada', 'extra')
  t.match(await stream.next('ready'), { data: { channels: ['news'] } })
  await downpipe.refresh('ada')
  t.match(downpipe.stats(), { connections: { sse: 1 }, connects: 1 })
  await downpipe.kick('ada', 0)
  t.match(await stream.next(), { event: 'close', data: { reason: 'kick' } })
  const other = new SseReader(url, { token: 'bob' })
  await other.next('ready')
  await downpipe.logout('bob')
  t.match(await other.next(), { event: 'close', data: { reason: 'logout' } })
  t.match(await poll(url, { token: 'bob' }), { status: 401 })
  for (const uid of ['', 'x'.repeat(201), 1.5]) {
    await t.rejects(downpipe.kick(uid), { code: 'DOWNPIPE_INVALID_REQUEST' })
    await t.rejects(downpipe.refresh(uid), { code: 'DOWNPIPE_INVALID_REQUEST' })
    await t.rejects(downpipe.addToChannel(uid, 'a'), { code: 'DOWNPIPE_INVALID_REQUEST' })
  }
  await t.rejects(downpipe.kick('ada', -1), { code: 'DOWNPIPE_INVALID_REQUEST' })
  await t.rejects(downpipe.addToChannel('ada', ''), { code: 'DOWNPIPE_INVALID_REQUEST' })
})

t.test(
  'with a service key the control API is there over HTTP, and the auth URL may be asked instead',
  async t => {
    const { post } = await startHost(t, { services: [{ prefix: '/push', serviceKeys: [serviceKey] }] })
    t.match(await post('/push/v1/publish', { channel: 'a' }), { status: 200 })
    t.match(await post('/push/v1/kick', { uid: '5', hold: 1 }), { status: 200 })
    // Whatever the app's own validator would make of it.
    t.match(await post('/push/v1/kick', { uid: '5', extra: 1 }), {
      status: 400,
      body: { code: 'DOWNPIPE_INVALID_REQUEST', message: 'body: unknown field "extra"' },
    })
    t.match(await post('/push/v1/kick', { uid: '5', hold: '1' }), { status: 400 })
  },
)
