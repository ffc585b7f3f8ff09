import t from 'tap'
import { prepareBrowser, wakeAll } from './browser.js'
import type { Call } from './fake-server.js'

const MODULE = `<!doctype html><title>Module</title>
<script type="module">
  import { connect } from '/downpipe.mjs'
  connect('').on('a', data => say(data))
</script>`

const visit = await prepareBrowser(t)

t.test('the address of a stream is the whole subscription', async t => {
  const { server, page } = await visit(t)
  const transport = await page.evaluate(() => {
    const options = { token: 'a&b', channels: ['x y', 'ü'], grants: ['g1', 'g2'], since: 0 }
    return window.Downpipe.connect('/sites/blog/', options).transport
  })
  const { query } = await server.streams.next('a stream')
  t.equal(transport, 'sse')
  t.strictSame(server.paths, ['/sites/blog/v1/stream'])
  t.equal(query.get('token'), 'a&b')
  t.strictSame(query.getAll('channel'), ['x y', 'ü'])
  t.strictSame(query.getAll('grant'), ['g1', 'g2'])
  t.equal(query.get('since'), '0')
})

t.test('without options the address asks for nothing in particular', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('')
  })
  const { query } = await server.streams.next('a stream')
  t.equal(query.toString(), 'channel=*')
})

t.test('onready gets what the server says about the visitor', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onready: ready => window.say(ready) })
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['news'], { presence: ['7'], info: { name: 'Ada' } })
  const expected = { uid: '5', channels: ['news'], heartbeat: 25, v: 'v1', presence: ['7'], refused: [] }
  t.strictSame(await said.next('ready'), [{ ...expected, info: { name: 'Ada' } }])
})

t.test('a ready in mid-life is told, reopens nothing, and leaves the cursor where it is', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', {
      grants: ['old', 'good'],
      onready: ready => window.say(ready.channels, ready.presence, ready.refused),
      onerror: error => window.say(error),
    })
    push.on('news', data => window.say(data))
    push.on('room', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  const refused = [{ grant: 0, reason: 'expired' }]
  const again = (channels: readonly string[], presence: readonly string[] = []) =>
    first.frame('ready', { uid: '5', channels, heartbeat: 25, v: 'v2', presence, refused })
  first.ready('1-1', ['news', 'room'], { refused })
  first.message('1-2', { channel: 'room', data: 'two' })
  // The CMS takes a channel away, somebody comes, and the channel is given again.
  again(['news'])
  again(['news'], ['7'])
  again(['news', 'room'], ['7'])
  first.message('1-3', { channel: 'room', data: 'three' })
  again([])
  t.strictSame(await said.next('ready'), [['news', 'room'], [], refused])
  t.strictSame(await said.next('the message'), ['two'])
  t.strictSame(await said.next('ready'), [['news'], [], refused])
  t.strictSame(await said.next('ready'), [['news'], ['7'], refused])
  t.strictSame(await said.next('ready'), [['news', 'room'], ['7'], refused])
  t.strictSame(await said.next('the message'), ['three'])
  t.strictSame(await said.next('ready'), [[], [], refused])
  first.frame('close', { reason: 'age', reconnect: true, retryMs: 10 })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('since'), '1-3')
  t.strictSame(second.query.getAll('channel'), ['*'])
  t.strictSame(second.query.getAll('grant'), ['old', 'good'])
  t.equal(server.paths.length, 2)
})

t.test('a channel that was refused and is given later brings messages, also after a reconnect', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { onready: ready => window.say(ready.channels) })
    push.on('room', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['news'])
  const refusal = [403, 'DOWNPIPE_CHANNEL_FORBIDDEN', 'Not room', { channel: 'room' }] as const
  const second = await server.streams.next('a second stream')
  second.refuse(...refusal)
  const poll = await server.polls.next('the question why')
  poll.refuse(...refusal)
  const third = await server.streams.next('a third stream')
  third.ready('1-1', ['news'])
  t.strictSame(await said.next('ready'), [['news']])
  // A membership: the server adds it to what the request names.
  third.frame('ready', { uid: '5', channels: ['news', 'room'], heartbeat: 25, v: 'v2' })
  third.message('1-2', { channel: 'room', data: 'two' })
  t.strictSame(await said.next('ready'), [['news', 'room']])
  t.strictSame(await said.next('the message'), ['two'])
  third.frame('close', { reason: 'age', reconnect: true, retryMs: 10 })
  const fourth = await server.streams.next('a fourth stream')
  t.strictSame(fourth.query.getAll('channel'), ['*'], 'else it would be refused where it has ended')
  fourth.ready('1-2', ['news', 'room'])
  fourth.message('1-3', { channel: 'room', data: 'three' })
  t.strictSame(await said.next('ready'), [['news', 'room']])
  t.strictSame(await said.next('the message'), ['three'])
})

t.test(
  'ten new channels in one turn reopen the stream once, from its cursor, with all that was there',
  async t => {
    const { server, page, said } = await visit(t)
    await page.evaluate(() => {
      window.push = window.Downpipe.connect('', { onready: ready => window.say('ready', ready.channels) })
      window.push.on('news', data => window.say('news', data))
    })
    const first = await server.streams.next('a stream')
    t.strictSame(first.query.getAll('channel'), ['*'], 'what the identity lists needs no name')
    first.ready('1-1', ['news', 'user_5'])
    first.message('1-2', { channel: 'news', data: 1 })
    t.strictSame(await said.next('ready'), ['ready', ['news', 'user_5']])
    t.strictSame(await said.next('the message'), ['news', 1])

    await page.evaluate(() => {
      for (let n = 0; n < 10; n++) window.push.on(`node_${n}`, data => window.say('node', data))
      window.push.on('node_0', () => {})
      window.push.on('user_5', () => {})
    })
    const second = await server.streams.next('a second stream')
    await first.ended
    const names = ['news', 'user_5', ...Array.from({ length: 10 }, (_, n) => `node_${n}`)]
    t.strictSame(second.query.getAll('channel'), ['*', ...names.slice(2)])
    t.equal(second.query.get('since'), '1-2')
    second.ready('1-2', names)
    second.message('1-3', { channel: 'node_9', data: 2 })
    t.strictSame(await said.next('ready'), ['ready', names])
    t.strictSame(await said.next('the message'), ['node', 2])
    t.equal(server.paths.length, 2)
  },
)

t.test('a channel that the first ready lacks is asked for before any message counts', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { since: '1-5', onready: () => window.say('ready') })
    push.on('node_1', data => window.say(data))
    push.on('user_5', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  first.ready('1-5', ['user_5'])
  first.message('1-7', { channel: 'user_5', data: 'seven' })
  const second = await server.streams.next('a second stream')
  t.strictSame(second.query.getAll('channel'), ['*', 'node_1'])
  t.equal(second.query.get('since'), '1-5', 'else what node_1 had before 1-7 would be lost')
  second.ready('1-5', ['user_5', 'node_1'])
  second.message('1-6', { channel: 'node_1', data: 'six' })
  second.message('1-7', { channel: 'user_5', data: 'seven' })
  for (const expected of ['ready', 'six', 'seven']) t.strictSame(await said.next(expected), [expected])
})

t.test('a channel that is asked for inside a listener is asked for from that message on', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { channels: ['a'] })
    push.on('a', data => {
      window.say(data)
      push.on('b', () => {})
    })
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['a'])
  first.message('1-2', { channel: 'a', data: 'two' })
  first.message('1-3', { channel: 'a', data: 'three' })
  const second = await server.streams.next('a second stream')
  t.strictSame(second.query.getAll('channel'), ['a', 'b'])
  t.equal(second.query.get('since'), '1-2')
  second.ready('1-2', ['a', 'b'])
  second.message('1-3', { channel: 'a', data: 'three' })
  t.strictSame(await said.next('the first message'), ['two'])
  t.strictSame(await said.next('the second message'), ['three'])
})

t.test('a channel without listeners is left out when the stream is opened next', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.push = window.Downpipe.connect('', { channels: ['a'], onready: () => window.say('ready') })
    window.push.on('b', () => {})
  })
  const names = async (): Promise<[Call, readonly string[]]> => {
    const stream = await server.streams.next('a stream')
    return [stream, stream.query.getAll('channel')]
  }
  const [first, before] = await names()
  t.strictSame(before, ['a', 'b'])
  first.ready('1-1', ['a', 'b'])
  await said.next('ready')
  await page.evaluate(() => {
    window.push.off('b')
    window.push.on('c', () => {})
  })
  const [, after] = await names()
  t.strictSame(after, ['a', 'c'])
})

t.test('a channel that the CMS has taken away is not asked for', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { onready: ready => window.say(ready.channels) })
    push.on('editors', () => {})
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['editors', 'news'])
  first.frame('close', { reason: 'age', reconnect: true, retryMs: 10 })
  const second = await server.streams.next('a second stream')
  t.strictSame(second.query.getAll('channel'), ['*'])
  second.ready('1-1', ['news'])
  t.strictSame(await said.next('ready'), [['editors', 'news']])
  t.strictSame(await said.next('ready'), [['news']])
})

t.test(
  'a refused channel that is named by on() is dropped and told; its listener still takes labels',
  async t => {
    const { server, page, said } = await visit(t)
    await page.evaluate(() => {
      const push = window.Downpipe.connect('', { onerror: error => window.say(error.message, error.final) })
      push.on('toast', data => window.say(data))
    })
    const first = await server.streams.next('a stream')
    first.ready('1-1', ['news'])
    const refusal = [403, 'DOWNPIPE_CHANNEL_FORBIDDEN', 'Not toast', { channel: 'toast' }] as const
    const second = await server.streams.next('a second stream')
    second.refuse(...refusal)
    const poll = await server.polls.next('the question why')
    poll.refuse(...refusal)
    t.strictSame(await said.next('the error'), ['Not toast', false])
    const third = await server.streams.next('a third stream')
    t.strictSame(third.query.getAll('channel'), ['*'])
    third.ready('1-1', ['news'])
    third.message('1-2', { channel: 'toast', data: 'a label' })
    t.strictSame(await said.next('the label'), ['a label'])
  },
)

t.test('a refusal that names no channel ends the connection, and onerror says why', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { onerror: error => window.say(error) })
    push.on('secret', () => {})
    window.push = push
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['news'])
  const second = await server.streams.next('a second stream')
  t.strictSame(second.query.getAll('channel'), ['*', 'secret'])
  second.refuse(403, 'DOWNPIPE_CHANNEL', 'The channel secret is not allowed')
  const poll = await server.polls.next('the question why')
  t.equal(poll.query.get('wait'), '0')
  t.strictSame(poll.query.getAll('channel'), ['*', 'secret'])
  poll.refuse(403, 'DOWNPIPE_CHANNEL', 'The channel secret is not allowed')
  const error = {
    code: 'DOWNPIPE_CHANNEL',
    message: 'The channel secret is not allowed',
    status: 403,
    final: true,
  }
  t.strictSame(await said.next('the error'), [error])
  const delays = await page.evaluate(() => {
    window.delays = []
    window.push.on('else', () => {})
    return window.delays
  })
  t.strictSame(delays, [], 'no timer, no attempt')
})

t.test('after a cut the browser reconnects by itself with the last id; heartbeats move it', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { since: '1-1', onerror: error => window.say(error) })
    push.on('a', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['a'])
  first.message('1-2', { channel: 'a', data: 'two' })
  first.frame('heartbeat', '', '1-9')
  t.strictSame(await said.next('the message'), ['two'])
  first.cut()
  const second = await server.streams.next('a second stream')
  t.equal(second.headers['last-event-id'], '1-9')
  second.ready('1-9', ['a'])
  second.message('1-10', { channel: 'a', data: 'ten' })
  t.strictSame(await said.next('the message'), ['ten'])
})

t.test('a stream that cannot be had is tried again with growing random delays, from the cursor', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { onerror: error => window.say(error) })
    push.on('a', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['a'])
  first.frame('heartbeat', '', '1-4')
  first.message('1-5', { channel: 'a', data: 'five' })
  await said.next('the message')
  first.cut()
  const browsers = await server.streams.next("the browser's attempt")
  browsers.cut()
  const network = { code: 'network', message: 'No answer', status: 0, final: false }
  t.strictSame(await said.next('the error'), [network])
  for (let failed = 0; failed < 6; failed++) {
    const stream = await server.streams.next('another attempt')
    t.equal(stream.query.get('since'), '1-5')
    stream.cut()
    t.strictSame(await said.next('the error'), [network])
  }
  const last = await server.streams.next('the last attempt')
  const delays = await page.evaluate(() => window.delays)
  t.strictSame(
    delays,
    [0, 0, 500, 1000, 2000, 4000, 8000, 16000, 16000],
    'half of the limit, which ends at 32 s',
  )
  last.ready('1-5', ['a'])
  last.message('1-6', { channel: 'a', data: 'six' })
  t.strictSame(await said.next('the message'), ['six'])
  last.cut()
  const again = await server.streams.next("the browser's attempt")
  again.cut()
  await said.next('the error')
  t.equal(await page.evaluate(() => window.delays.pop()), 500, 'a ready starts over')
})

t.test('a stream that was refused for now is tried again when the server says', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onready: () => window.say('ready'), onerror: error => window.say(error) })
  })
  const first = await server.streams.next('a stream')
  first.answerWith('<h1>Bad gateway</h1>', 'text/html', 502)
  const why = await server.polls.next('the question why')
  why.refuse(503, 'DOWNPIPE_BUSY', 'Busy', { retryAfter: 7 })
  t.strictSame(await said.next('the error'), [
    { code: 'DOWNPIPE_BUSY', message: 'Busy', status: 503, final: false },
  ])
  const second = await server.streams.next('a second stream')
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 7500])
  second.ready('1-1', [])
  t.strictSame(await said.next('ready'), ['ready'])
})

t.test("a proxy's refusal is not final", async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onerror: error => window.say(error) })
  })
  const first = await server.streams.next('a stream')
  first.answerWith('<h1>Forbidden</h1>', 'text/html', 403)
  const why = await server.polls.next('the question why')
  why.answerWith('<h1>Forbidden</h1>', 'text/html', 403)
  t.strictSame(await said.next('the error'), [
    { code: 'network', message: 'No answer', status: 403, final: false },
  ])
  await server.streams.next('a second stream')
})

t.test('when a poll works after all, the stream is tried again', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onready: () => window.say('ready') })
  })
  const first = await server.streams.next('a stream')
  first.answerWith('', 'text/plain', 500)
  const why = await server.polls.next('the question why')
  why.answer({ cursor: '1-9', messages: [] })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('since'), null)
  second.ready('1-9', [])
  await said.next('ready')
})

t.test('close ends it: nothing comes, and nothing is asked for', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', {
      onclose: close => window.say(close),
      ongap: gap => window.say(gap),
    })
    push.on('a', data => {
      window.say(data)
      push.close()
      push.close()
      push.on('b', () => {})
    })
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a'])
  stream.message('1-2', { channel: 'a', data: 1 })
  stream.message('1-3', { channel: 'a', data: 2 })
  await stream.ended
  t.strictSame(await said.next('the message'), [1])
  await wakeAll(page)
  t.strictSame(server.paths, ['/v1/stream'])
  t.strictSame(said.rest, [])
})

t.test('a connection that is closed in the turn in which it was made asks for nothing', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('/first').close()
    window.Downpipe.connect('/second')
  })
  await server.streams.next('a stream')
  t.strictSame(server.paths, ['/second/v1/stream'])
})

t.test('the ES module does the same', async t => {
  const { server, said } = await visit(t, { '/module': MODULE }, '/module')
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a'])
  stream.message('1-2', { channel: 'a', data: 1 })
  t.strictSame(await said.next('the message'), [1])
})
