import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Connection, Verify } from '../../src/index.js'
import { Queue } from '../client/queue.js'
import { serviceKey, startHost } from '../helpers/embedded.js'
import { poll } from '../helpers/poll-reader.js'
import { SseReader } from '../helpers/sse-reader.js'

const open = { anonymousChannels: ['*'], serviceKeys: [serviceKey] }
const circle: { self?: unknown } = {}
circle.self = circle
const never = () => new Promise<never>(() => {})
const fault = () => {
  throw new TypeError('seCret details')
}

t.test('verify is asked once for a token, whoever comes with it, and sees the request', async t => {
  const asked: unknown[] = []
  const { url } = await startHost(t, {
    services: [
      {
        verify: async (token, request) => {
          asked.push([token, request.headers['x-tenant'], request.ip])
          await pause(20)
          return token === 'five' ? { uid: 5, channels: ['news'], info: { name: 'Five' } } : null
        },
      },
    ],
  })
  const headers = { 'x-tenant': 'one' }
  const answers = await Promise.all(Array.from({ length: 5 }, () => poll(url, { token: 'five', headers })))
  for (const answer of answers)
    t.match(answer, { status: 200, body: { ready: { uid: '5', info: { name: 'Five' } } } })
  t.match(await poll(url, { token: 'six' }), { status: 401, body: { code: 'DOWNPIPE_TOKEN_REFUSED' } })
  t.match(await poll(url, { token: 'six' }), { status: 401 })
  t.strictSame(asked, [
    ['five', 'one', '127.0.0.1'],
    ['six', undefined, '127.0.0.1'],
  ])
})

t.test(
  'a verify that fails, hangs or answers nonsense is busy to that caller, and to nobody else',
  async t => {
    // What a JavaScript program may answer, whatever the types say.
    const answers: Record<string, () => ReturnType<Verify>> = {
      throws: fault,
      rejects: async () => fault(),
      hangs: never,
      nothing: () => JSON.parse('{}').nothing,
      nonsense: () => JSON.parse('{"channels":["news"]}'),
      text: () => JSON.parse('"yes"'),
      'bad-channel': () => ({ uid: '5', channels: ['a\nb'] }),
      // It threw when the stream had begun: nothing ever came, and neither the connection nor the app could be closed.
      'no-json': () => ({ uid: '5', info: { big: 5n } }),
      circle: () => ({ uid: '5', info: circle }),
      five: () => ({ uid: '5', channels: ['news'] }),
    }
    const verify: Verify = token => (answers[token] ?? fault)()
    const host = await startHost(t, { services: [{ verifyTimeoutMs: 100, verify }] })
    for (const token of Object.keys(answers)) {
      const expected = token === 'five' ? { status: 200 } : { status: 503, body: { code: 'DOWNPIPE_BUSY' } }
      t.match(await poll(host.url, { token }), expected, token)
    }
    for (const token of ['hangs', 'no-json']) {
      const stream = new SseReader(host.url, { token })
      t.match(await stream.next(), { event: 'close', data: { reason: 'busy', reconnect: true } })
    }
    t.match(host.log, /verify threw TypeError at .*hooks\.test\.ts/)
    t.match(host.log, /verify took longer than 100 ms/)
    t.match(host.log, /verify gave no identity, and null is for no: answer.channels\[0\]/)
    t.match(host.log, /verify gave no identity, and null is for no: the answer is no JSON/)
    t.notMatch(host.log, 'seCret')
  },
)

t.test('what verify has answered is the program’s to change, and changes nothing here', async t => {
  const user = { uid: '5', channels: ['news'], info: { since: new Date(0), self: undefined as unknown } }
  const { app, url } = await startHost(t, { services: [{ verify: () => user }] })
  const stream = new SseReader(url, { token: 'five' })
  t.teardown(() => stream.close())
  t.match(await stream.next('ready'), { data: { info: { since: '1970-01-01T00:00:00.000Z' } } })
  user.channels.push('staff')
  user.info.self = user
  // Settles the channels of the live connection anew, by what is held of its identity.
  await app.downpipe.addToChannel('5', 'more')
  t.strictSame(Object((await stream.next('ready')).data).channels, ['news', 'more'])
})

t.test('onPublish may veto a message, and with it its whole batch', async t => {
  const seen: unknown[] = []
  const { app, url, post } = await startHost(t, {
    services: [
      {
        ...open,
        name: 'shop',
        onPublish: (message, { site }) => {
          seen.push([message.data, site])
          return message.data !== 'no'
        },
      },
    ],
  })
  const no = { channel: 'a', data: 'no' }
  const yes = { channel: 'a', data: 'yes' }
  const vetoed = {
    status: 403,
    body: {
      statusCode: 403,
      code: 'DOWNPIPE_PUBLISH_VETOED',
      error: 'Forbidden',
      message: /may not be published/,
    },
  }
  t.match(await post('/v1/publish', no), vetoed)
  t.match(await post('/v1/publish', [yes, no, yes]), vetoed)
  t.strictSame(seen, [
    ['no', 'shop'],
    ['yes', 'shop'],
    ['no', 'shop'],
  ])
  await t.rejects(app.downpipe.publish(no), { code: 'DOWNPIPE_PUBLISH_VETOED' })
  t.match(app.downpipe.cursor(), /-0$/)
  t.match(await post('/v1/publish', [yes, yes]), { status: 200, body: { ids: [/-1$/, /-2$/] } })
  t.match(await poll(url, { channels: ['a'], since: '0' }), {
    body: { messages: [{ data: 'yes' }, { data: 'yes' }] },
  })
})

t.test('onPublish may put another message in a message’s place, which is checked anew', async t => {
  const { url, post } = await startHost(t, {
    services: [
      {
        ...open,
        maxDataBytes: 1_024,
        onPublish: async message => {
          if (message.data === 'bad') return { ...message, chanel: 'a' }
          if (message.data === 'large') return { ...message, data: 'x'.repeat(2_000) }
          return message.data === 'keep' ? undefined : { channel: 'b', data: { was: message.data } }
        },
      },
    ],
  })
  const message = (data: string) => ({ channel: 'a', data })
  t.match(await post('/v1/publish', message('bad')), {
    status: 400,
    body: { code: 'DOWNPIPE_INVALID_REQUEST', message: 'body: unknown field "chanel"' },
  })
  t.match(await post('/v1/publish', [message('x'), message('large')]), { status: 413 })
  // What is not of the documented form does not come before the hook.
  t.match(await post('/v1/publish', { chanel: 'a' }), { status: 400 })
  t.match(await post('/v1/publish', [message('x'), message('keep')]), { status: 200 })
  t.match(await poll(url, { channels: ['a', 'b'], since: '0' }), {
    body: {
      messages: [
        { channel: 'b', data: { was: 'x' } },
        { channel: 'a', data: 'keep' },
      ],
    },
  })
})

t.test('an onPublish that fails or hangs is an error to that publisher only', async t => {
  const host = await startHost(t, {
    services: [
      {
        ...open,
        hookTimeoutMs: 100,
        onPublish: ({ data }) => (data === 'throws' ? fault() : data === 'hangs' ? never() : true),
      },
    ],
  })
  const failed = {
    status: 500,
    body: {
      statusCode: 500,
      code: 'DOWNPIPE_HOOK_FAILED',
      error: 'Internal Server Error',
      message: /onPublish/,
    },
  }
  const hanging = host.post('/v1/publish', { channel: 'a', data: 'hangs' })
  t.match(await host.post('/v1/publish', { channel: 'a', data: 'throws' }), failed)
  t.match(await host.post('/v1/publish', { channel: 'a', data: 'fine' }), {
    status: 200,
    body: { id: /-1$/ },
  })
  t.match(await hanging, failed)
  await t.rejects(host.app.downpipe.publish({ channel: 'a', data: 'throws' }), {
    code: 'DOWNPIPE_HOOK_FAILED',
  })
  t.match(host.log, /threw TypeError at .*onPublish failed, and so did the publish call/)
  t.match(host.log, /took longer than 100 ms/)
  t.notMatch(host.log, 'seCret')
})

t.test('what onPublish gives that is no JSON is a fault of onPublish, with a code', async t => {
  const { app, post } = await startHost(t, {
    services: [
      {
        ...open,
        onPublish: message => {
          if (message.data === 'circle') message.data = circle
          return message.data === 'number' ? { ...message, data: 5n } : message
        },
      },
    ],
  })
  for (const data of ['circle', 'number']) {
    const failed = { status: 500, body: { code: 'DOWNPIPE_HOOK_FAILED' } }
    t.match(await post('/v1/publish', { channel: 'a', data }), failed, data)
    t.match(await post('/v1/publish', [{ channel: 'a', data }]), failed, data)
    await t.rejects(app.downpipe.publish({ channel: 'a', data }), { code: 'DOWNPIPE_HOOK_FAILED' })
  }
})

t.test('onOpen and onClose are told of each connection, and why it is over', async t => {
  const told = new Queue<readonly unknown[]>()
  const opened: Connection[] = []
  const { app, url } = await startHost(t, {
    services: [
      {
        anonymousChannels: ['*'],
        verify: token => ({ uid: token, channels: ['news'] }),
        onOpen: connection => {
          opened.push(connection)
          told.push(['open', connection.transport, connection.uid, connection.channels, connection.site])
        },
        onClose: (connection, reason) => told.push(['close', opened.indexOf(connection), reason]),
      },
    ],
  })
  const stream = new SseReader(url, { token: 'ada' })
  await stream.next('ready')
  t.strictSame(await told.next('open'), ['open', 'sse', 'ada', ['news'], 'default'])
  await app.downpipe.kick('ada')
  t.strictSame(await told.next('close'), ['close', 0, 'kick'])
  await stream.next('close')
  const other = new SseReader(url, { channels: ['a', 'b'] })
  await other.next('ready')
  t.strictSame(await told.next('open'), ['open', 'sse', null, ['a', 'b'], 'default'])
  other.close()
  t.strictSame(await told.next('close'), ['close', 1, 'left'])
  await poll(url, { channels: ['a'] })
  t.strictSame(await told.next('open'), ['open', 'poll', null, ['a'], 'default'])
  t.strictSame(await told.next('close'), ['close', 2, 'answered'])
  t.strictSame(told.rest, [])
})

t.test('onOpen and onClose stop nothing: what they throw is logged, and they may publish', async t => {
  const closed = new Queue<string>()
  const host = await startHost(t, {
    services: [
      {
        ...open,
        hookTimeoutMs: 50,
        onOpen: async ({ channels }) => {
          if (channels.includes('greeted'))
            await host.app.downpipe.publish({ channel: 'greeted', data: 'welcome' })
          else if (channels.includes('hangs')) await never()
          else fault()
        },
        onClose: (_connection, reason) => {
          closed.push(reason)
          fault()
        },
      },
    ],
  })
  for (const channel of ['throws', 'hangs', 'greeted']) {
    const stream = new SseReader(host.url, { channels: [channel] })
    await stream.next('ready')
    if (channel === 'greeted') t.strictSame(await stream.messages(1), ['welcome'])
    t.match(await host.post('/v1/publish', { channel, data: channel }), { status: 200 })
    t.strictSame(await stream.messages(1), [channel])
    stream.close()
    t.equal(await closed.next('close'), 'left')
  }
  while (!host.log.includes('took longer')) await pause(5)
  t.match(host.log, /threw TypeError at .*onOpen failed/)
  t.match(host.log, /took longer than 50 ms.*onOpen failed/)
  t.match(host.log, /threw TypeError at .*onClose failed/)
  t.notMatch(host.log, 'seCret')
})
