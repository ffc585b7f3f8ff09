import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connect } from '../../../src/client/node/index.js'
import { deadUrl } from '../../helpers/listening.js'
import { type FakeServer, startFakeServer } from '../fake-server.js'
import { listen, until } from './listener.js'

async function start(t: Test): Promise<FakeServer> {
  const server = await startFakeServer('', {})
  t.teardown(() => server.close())
  return server
}

const close = (reason: string, reconnect: boolean, retryMs = 0) => ({ reason, reconnect, retryMs })

t.test('the token travels in the header, the rest in the address', async t => {
  const server = await start(t)
  for (const transport of ['sse', 'poll'] as const) {
    listen(t, `${server.url}/sites/a/`, {
      token: 'a&b',
      channels: ['x y', 'ü'],
      grants: ['g'],
      since: 0,
      transport,
    })
    const call = await (transport === 'sse' ? server.streams : server.polls).next(transport)
    t.equal(call.headers.authorization, 'Bearer a&b')
    t.equal(call.query.get('token'), null)
    t.strictSame(call.query.getAll('channel'), ['x y', 'ü'])
    t.strictSame(call.query.getAll('grant'), ['g'])
    t.equal(call.query.get('since'), '0')
  }
  t.strictSame(server.paths, ['/sites/a/v1/stream', '/sites/a/v1/poll'])
})

t.test('without a token there is no such header', async t => {
  const server = await start(t)
  listen(t, server.url)
  const { headers, query } = await server.streams.next('a stream')
  t.equal(headers.authorization, undefined)
  t.equal(headers.accept, 'text/event-stream')
  t.equal(query.toString(), 'channel=*')
})

t.test(
  'after a cut it comes back by itself when retry says, with the last id, and tells no error',
  async t => {
    const server = await start(t)
    const { told } = listen(t, server.url, { since: '1-1' })
    const first = await server.streams.next('a stream')
    first.ready('1-1', ['a'])
    first.message('1-2', { channel: 'a', data: 'two' })
    first.frame('heartbeat', '', '1-9')
    first.frame('', { type: 'presence', data: { uid: '7', event: 'online' } })
    await until(told, 'presence')
    first.cut()
    const second = await server.streams.next('a second stream')
    t.equal(second.headers['last-event-id'], '1-9', 'presence has not moved it')
    t.equal(second.query.get('since'), '1-9')
    second.message('1-10', { channel: 'a', data: 'ten' })
    t.strictSame(await told.next('the message'), ['message', { channel: 'a', data: 'ten', id: '1-10' }])
  },
)

t.test('presence has no id, also behind a message that has', async t => {
  const server = await start(t)
  const { told } = listen(t, server.url)
  const stream = await server.streams.next('a stream')
  const presence = { type: 'presence', data: { uid: '7', event: 'offline' } }
  stream.ready('1-1', [])
  stream.message('1-2', { data: 'to you' })
  stream.frame('', presence)
  await until(told, 'ready')
  t.strictSame(await told.next('the message'), ['message', { data: 'to you', id: '1-2' }])
  t.strictSame(await told.next('the presence'), ['message', presence])
  t.strictSame(await told.next('the presence'), ['presence', presence.data])
})

t.test('a stream on which two heartbeats do not come is opened anew, and a quiet one is not', async t => {
  const server = await start(t)
  listen(t, server.url)
  const first = await server.streams.next('a stream')
  first.ready('1-1', [], { heartbeat: 1 })
  for (let sign = 2; sign < 10; sign++) {
    await pause(400)
    first.frame('heartbeat', '', `1-${sign}`)
  }
  t.equal(server.paths.length, 1, 'after three times as long as it waits')
  const second = await server.streams.next('a second stream')
  t.equal(second.headers['last-event-id'], '1-9')
})

t.test('a close is obeyed: come back later from the cursor, or never', async t => {
  const server = await start(t)
  const { told, push } = listen(t, server.url)
  const first = await server.streams.next('a stream')
  first.ready('1-1', [])
  first.message('1-2', { data: 1 })
  first.frame('close', close('age', true, 30))
  first.message('1-3', { data: 'not any more' })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('since'), '1-2')
  second.ready('1-2', [])
  second.frame('close', close('kick', false))
  t.strictSame(await until(told, 'close'), close('kick', false))
  await second.ended
  push.on('new', () => {})
  t.equal(server.paths.length, 2)
})

t.test(
  'what the same packet holds behind the end is not given: behind a close, or when a listener ends it',
  async t => {
    const server = await start(t)
    const frames = [
      'event: ready\nid: 1-1\ndata: {"channels":["a"],"heartbeat":25}',
      'id: 1-2\ndata: {"channel":"a","data":"end"}',
      'event: close\ndata: {"reason":"kick","reconnect":false,"retryMs":0}',
      'id: 1-3\ndata: {"channel":"a","data":"behind"}',
    ]
    const body = frames.map(frame => `${frame}\n\n`).join('')
    const closed = listen(t, server.url)
    const first = await server.streams.next('a stream')
    first.answerWith(body, 'text/event-stream', 200)
    await until(closed.told, 'close')
    const ended = listen(t, server.url)
    ended.push.on('a', () => ended.push.close())
    const second = await server.streams.next('another stream')
    second.answerWith(body, 'text/event-stream', 200)
    await until(ended.told, 'message')
    await second.ended
    // A packet is read in one go; what it held would have been told by now.
    t.strictSame([...closed.told.rest, ...ended.told.rest], [])
  },
)

t.test('a refusal is told with its reason, and is final for a token that is a string', async t => {
  const server = await start(t)
  const { told } = listen(t, server.url, { token: 'old' })
  const stream = await server.streams.next('a stream')
  stream.refuse(401, 'DOWNPIPE_TOKEN_REFUSED', 'No')
  const error = { code: 'DOWNPIPE_TOKEN_REFUSED', message: 'No', status: 401, final: true }
  t.strictSame(await told.next('the error'), ['error', error])
  t.strictSame(server.paths, ['/v1/stream'], 'it needs no poll to find out why')
})

t.test('a token function is asked again when its token is refused', async t => {
  const server = await start(t)
  let count = 0
  listen(t, server.url, { token: async () => `t${++count}` })
  const first = await server.streams.next('a stream')
  t.equal(first.headers.authorization, 'Bearer t1')
  first.refuse(401, 'DOWNPIPE_TOKEN_REFUSED', 'No')
  t.equal((await server.streams.next('a stream')).headers.authorization, 'Bearer t2')
})

t.test('a token that no header can carry is refused without its text', async t => {
  const server = await start(t)
  t.throws(() => connect(server.url, { token: 'secret\n' }), { code: 'ERR_INVALID_CHAR' })
  const tokens = ['secret\n', 'secret\n', 'good']
  const { told } = listen(t, server.url, { token: () => tokens.shift() ?? null })
  const [, error] = await told.next('the error')
  t.match(error, { code: 'token', status: 401, final: false })
  t.notMatch(JSON.stringify(error), /secret/)
  t.equal((await server.streams.next('a stream')).headers.authorization, 'Bearer good')
})

t.test('a channel that is added while the stream stands is asked for from its cursor', async t => {
  const server = await start(t)
  const { told, push } = listen(t, server.url, { channels: ['a'] })
  const first = await server.streams.next('a stream')
  first.ready('1-5', ['a'])
  await until(told, 'ready')
  push.on('b', () => {})
  const second = await server.streams.next('a second stream')
  await first.ended
  t.strictSame(second.query.getAll('channel'), ['a', 'b'])
  t.equal(second.query.get('since'), '1-5')
})

for (const { name, type, status, body, message } of [
  {
    name: 'a page',
    type: 'text/html',
    status: 200,
    body: '<h1>Hello</h1>',
    message: /not a stream of events/,
  },
  { name: "a proxy's error", type: 'text/html', status: 502, body: '', message: /not a stream of events/ },
  {
    name: 'a stream of something else',
    type: 'text/event-stream',
    status: 200,
    body: 'event: ready\ndata: {\n\n',
    message: /SyntaxError/,
  },
  {
    name: 'frames without data',
    type: 'text/event-stream',
    status: 200,
    body: 'event: ready\ndata: null\n\n',
    message: /ready without data/,
  },
  {
    name: 'an empty stream',
    type: 'text/event-stream',
    status: 200,
    body: '',
    message: /ended before anything/,
  },
]) {
  t.test(`${name} is an error, and the stream is tried again`, async t => {
    const server = await start(t)
    const { told } = listen(t, server.url)
    const first = await server.streams.next('a stream')
    first.answerWith(body, type, status)
    const [kind, error] = await told.next('the error')
    t.equal(kind, 'error')
    t.match(error, { code: 'network', message, final: false })
    const second = await server.streams.next('a second stream')
    second.ready('1-1', [])
    t.match(await told.next('ready'), ['ready'])
  })
}

// As in web-platform-tests, `eventsource/format-mime-*` and `format-utf-8`.
t.test('a stream is one whatever stands behind its type, and is UTF-8 in any case', async t => {
  const server = await start(t)
  for (const type of [
    'text/event-stream;',
    'text/event-stream;charset=windows-1252',
    'Text/Event-Stream ; x',
  ]) {
    const { told } = listen(t, server.url)
    const stream = await server.streams.next('a stream')
    // It must not come back while the next one is awaited.
    stream.answerWith('retry: 60000\nid: 1-1\ndata: {"data":"ok…"}\n\n', type, 200)
    t.strictSame(await told.next('the message'), ['message', { data: 'ok…', id: '1-1' }], type)
  }
  const { told } = listen(t, server.url)
  const stream = await server.streams.next('a stream')
  stream.answerWith('data: {"data":"no"}\n\n', 'x bogus', 200)
  t.match(await told.next('the error'), ['error', { code: 'network' }])
})

t.test('a redirect is not followed, for it might take the token elsewhere', async t => {
  const server = await start(t)
  const elsewhere = await start(t)
  for (const transport of ['sse', 'poll'] as const) {
    const { told } = listen(t, server.url, { token: 'secret', transport })
    const call = await (transport === 'sse' ? server.streams : server.polls).next(transport)
    call.redirect(`${elsewhere.url}/v1/stream`)
    t.match(await told.next('the error'), ['error', { code: 'network', status: 302, final: false }])
  }
  t.strictSame(elsewhere.paths, [])
})

t.test('where nobody answers, the error says so, without the query', async t => {
  const url = await deadUrl()
  for (const transport of ['sse', 'poll'] as const) {
    const { told } = listen(t, url, {
      token: 'secret',
      channels: ['secret'],
      transport,
    })
    for (let attempt = 1; attempt <= 2; attempt++) {
      const [, error] = await told.next('the error')
      t.match(error, { code: 'network', message: /ECONNREFUSED/, status: 0, final: false })
      t.notMatch(JSON.stringify(error), /secret/)
    }
  }
})

t.test('polls follow each other from where the last one ended', async t => {
  const server = await start(t)
  const { told } = listen(t, server.url, { transport: 'poll', since: '1-1' })
  const ready = { uid: null, channels: ['a'], heartbeat: 25, v: 'v1', presence: [], refused: [] }
  const first = await server.polls.next('a poll')
  first.answer({ cursor: '1-3', ready, messages: [{ id: '1-2', channel: 'a', data: '😀' }] })
  t.strictSame(await told.next('ready'), ['ready', ready])
  t.strictSame(await told.next('the message'), ['message', { id: '1-2', channel: 'a', data: '😀' }])
  const second = await server.polls.next('a second poll')
  t.equal(second.query.get('since'), '1-3')
  t.equal(second.query.get('v'), 'v1')
  second.refuse(503, 'DOWNPIPE_BUSY', 'Busy', { retryAfter: 0.05 })
  t.match(await told.next('the error'), ['error', { code: 'DOWNPIPE_BUSY', status: 503, final: false }])
  const third = await server.polls.next('a third poll')
  t.equal(third.query.get('since'), '1-3')
  third.answer({ cursor: '1-3', messages: [], close: close('logout', false) })
  t.strictSame(await told.next('the close'), ['close', close('logout', false)])
})

t.test('close ends what is under way: a stream, a poll, a wait', async t => {
  const server = await start(t)
  const stream = listen(t, server.url)
  const streamed = await server.streams.next('a stream')
  const poll = listen(t, server.url, { transport: 'poll' })
  const polled = await server.polls.next('a poll')
  const waiting = listen(t, server.url)
  const refused = await server.streams.next('another stream')
  refused.refuse(503, 'DOWNPIPE_BUSY', 'Busy', { retryAfter: 60 })
  await until(waiting.told, 'error')
  for (const { push } of [stream, poll, waiting]) push.close()
  await Promise.all([streamed.ended, polled.ended])
  t.equal(server.paths.length, 3)
})

t.test('an address that is none of HTTP, or has a query, is refused at once', async t => {
  for (const url of [
    '',
    '/push',
    'ftp://push.example',
    'http://push.example/?a=b',
    'http://push.example/#a',
  ]) {
    t.throws(() => connect(url), TypeError, url)
  }
})
