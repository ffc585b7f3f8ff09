import t from 'tap'
import { prepareBrowser, wakeAll } from './browser.js'
import { startFakeServer } from './fake-server.js'
import { agePage } from './old-browser.js'

const ready = { uid: '5', channels: ['a'], heartbeat: 25, v: 'v1', presence: [], refused: [] }

const OLD_BROWSER = `<!doctype html><title>Old</title>${agePage}
<script src="/downpipe.js"></script>
<script>
  function tell(what) {
    var xhr = new XMLHttpRequest()
    xhr.open('GET', '/say?' + encodeURIComponent(what))
    xhr.send()
  }
  var push = Downpipe.connect('', {
    token: function (done) { done('t') },
    onerror: function (error) { tell('error ' + error.message) },
  })
  push.on('a', function (data) { tell(push.transport + ' ' + data) })
</script>`

const WITHOUT_EVENT_SOURCE = `<!doctype html><title>No EventSource</title>
<script>delete window.EventSource</script>
<script src="/downpipe.js"></script>`

const visit = await prepareBrowser(t)

t.test('polls follow each other from where the last one ended', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const options = { transport: 'poll', token: 't', channels: ['a'], grants: ['g'], since: '1-1' } as const
    const push = window.Downpipe.connect('/push', {
      ...options,
      onready: ready => window.say('ready', ready.v),
    })
    push.on('a', (data, message) => window.say(data, message.id))
    window.say(push.transport)
  })
  t.strictSame(await said.next('the transport'), ['poll'])
  const first = await server.polls.next('a poll')
  t.strictSame(server.paths, ['/push/v1/poll'])
  t.equal(first.query.toString(), 'wait=25&v=&token=t&channel=a&grant=g&since=1-1')
  first.answer({ cursor: '1-3', ready, messages: [{ id: '1-2', channel: 'a', data: 'two' }] })
  const second = await server.polls.next('a second poll')
  t.equal(second.query.get('since'), '1-3')
  t.equal(second.query.get('v'), 'v1')
  second.answer({ cursor: '1-3', messages: [] })
  const third = await server.polls.next('a third poll')
  t.equal(third.query.get('since'), '1-3')
  const messages = [
    { id: '1-4', channel: 'a', data: 'four' },
    { type: 'presence', data: 'ignored: it has no channel' },
    { id: '1-5', channel: 'a', data: 'five' },
  ]
  third.answer({ cursor: '1-9', messages, ready: { ...ready, v: 'v2' } })
  const fourth = await server.polls.next('a fourth poll')
  t.equal(fourth.query.get('since'), '1-9')
  t.equal(fourth.query.get('v'), 'v2')
  const expected = [
    ['ready', 'v1'],
    ['two', '1-2'],
    ['ready', 'v2'],
    ['four', '1-4'],
    ['five', '1-5'],
  ]
  for (const what of expected) t.strictSame(await said.next(String(what)), what)
})

t.test('without EventSource the connection polls, whatever was asked for', async t => {
  const { server, page, said } = await visit(t, { '/without': WITHOUT_EVENT_SOURCE }, '/without')
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { transport: 'sse' })
    push.on('a', data => window.say(push.transport, data))
  })
  const poll = await server.polls.next('a poll')
  poll.answer({ cursor: '1-2', ready, messages: [{ id: '1-2', channel: 'a', data: 1 }] })
  t.strictSame(await said.next('the message'), ['poll', 1])
})

t.test('a browser that has nothing newer than ES5 and XMLHttpRequest gets its messages', async t => {
  const { server, uncaught } = await visit(t, { '/old': OLD_BROWSER }, '/old')
  const first = await server.polls.next('a poll')
  t.equal(first.query.get('token'), 't')
  first.refuse(503, 'DOWNPIPE_BUSY', 'Busy', { retryAfter: 3 })
  t.equal(await server.said.next('the error'), 'error Busy')
  const second = await server.polls.next('a second poll')
  second.answer({ cursor: '1-2', ready: { ...ready, channels: [] }, messages: [] })
  const third = await server.polls.next('a third poll')
  t.strictSame(third.query.getAll('channel'), ['*', 'a'])
  third.answer({ cursor: '1-3', ready, messages: [{ id: '1-3', channel: 'a', data: 'x' }] })
  t.equal(await server.said.next('the message'), 'poll x')
  t.strictSame(uncaught.rest, [])
})

t.test('a new channel cuts the waiting poll short and is asked for from its cursor', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { transport: 'poll', onready: () => window.say('ready') })
    push.on('a', data => window.say(data))
    window.push = push
  })
  const first = await server.polls.next('a poll')
  first.answer({ cursor: '1-2', ready, messages: [] })
  await said.next('ready')
  const second = await server.polls.next('a second poll')
  await page.evaluate(() => {
    window.push.on('b', data => window.say(data))
    window.push.on('c', data => window.say(data))
  })
  const third = await server.polls.next('a third poll')
  await second.ended
  t.strictSame(third.query.getAll('channel'), ['*', 'b', 'c'])
  t.equal(third.query.get('since'), '1-2')
  t.equal(third.query.get('v'), '', 'so that the answer says what there is now')
})

t.test('a channel that the first answer lacks is asked for before the answer counts', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { transport: 'poll', since: '1-1' })
    push.on('a', data => window.say(data))
    push.on('b', data => window.say(data))
  })
  const first = await server.polls.next('a poll')
  first.answer({ cursor: '1-9', ready, messages: [{ id: '1-9', channel: 'a', data: 'nine' }] })
  const second = await server.polls.next('a second poll')
  t.equal(second.query.get('since'), '1-1')
  t.strictSame(second.query.getAll('channel'), ['*', 'b'])
  const messages = [
    { id: '1-8', channel: 'b', data: 'eight' },
    { id: '1-9', channel: 'a', data: 'nine' },
  ]
  second.answer({ cursor: '1-9', ready: { ...ready, channels: ['a', 'b'] }, messages })
  t.strictSame(await said.next('the first message'), ['eight'])
  t.strictSame(await said.next('the second message'), ['nine'])
})

t.test('of an answer with several messages, those behind one that reopens come again', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { transport: 'poll' })
    push.on('a', data => {
      window.say(data)
      push.on('b', () => {})
    })
  })
  const messages = [
    { id: '1-1', channel: 'a', data: 'one' },
    { id: '1-2', channel: 'a', data: 'two' },
  ]
  const first = await server.polls.next('a poll')
  first.answer({ cursor: '1-2', ready, messages })
  const second = await server.polls.next('a second poll')
  t.equal(second.query.get('since'), '1-1')
  second.answer({ cursor: '1-2', ready: { ...ready, channels: ['a', 'b'] }, messages: messages.slice(1) })
  t.strictSame(await said.next('the first message'), ['one'])
  t.strictSame(await said.next('the second message'), ['two'])
})

for (const status of [503, 429]) {
  t.test(
    `after a ${status} the connection waits as long as the body says, and a random time more`,
    async t => {
      const { server, page, said } = await visit(t)
      await page.evaluate(() => {
        window.Downpipe.connect('', {
          transport: 'poll',
          onready: () => window.say('ready'),
          onerror: error => window.say(error),
        })
      })
      const first = await server.polls.next('a poll')
      first.refuse(status, 'DOWNPIPE_BUSY', 'Come back', { retryAfter: 12 })
      t.strictSame(await said.next('the error'), [
        { code: 'DOWNPIPE_BUSY', message: 'Come back', status, final: false },
      ])
      const second = await server.polls.next('a second poll')
      t.strictSame(await page.evaluate(() => window.delays), [0, 0, 12500])
      second.refuse(status, 'DOWNPIPE_BUSY', 'Come back', { retryAfter: 12 })
      await said.next('the error')
      const third = await server.polls.next('a third poll')
      t.strictSame(await page.evaluate(() => window.delays), [0, 0, 12500, 13000])
      third.answer({ cursor: '1-1', ready, messages: [] })
      t.strictSame(await said.next('ready'), ['ready'])
    },
  )
}

t.test(
  'after a network error, or an answer that is not the server’s, polls go on with growing delays',
  async t => {
    const { server, page, said } = await visit(t)
    await page.evaluate(() => {
      const push = window.Downpipe.connect('', {
        transport: 'poll',
        onerror: error => window.say(error.status),
      })
      push.on('a', data => window.say(data))
    })
    const first = await server.polls.next('a poll')
    first.answer({ cursor: '1-1', ready, messages: [] })
    const cut = await server.polls.next('a second poll')
    cut.cut()
    t.strictSame(await said.next('the error'), [0])
    const bodies = ['<h1>Log in to the hotel</h1>', '', 'null', '3', '"no"', '[]', '{}']
    for (const body of bodies) {
      const poll = await server.polls.next('a poll')
      t.equal(poll.query.get('since'), '1-1')
      poll.answerWith(body, 'text/html', 200)
      t.strictSame(await said.next('the error'), [200])
    }
    const last = await server.polls.next('the last poll')
    t.strictSame(
      await page.evaluate(() => window.delays),
      [0, 0, 500, 1000, 2000, 4000, 8000, 16000, 16000, 16000],
    )
    last.answer({ cursor: '1-2', ready, messages: [{ id: '1-2', channel: 'a', data: 'two' }] })
    t.strictSame(await said.next('the message'), ['two'])
  },
)

t.test('a refusal is final', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { transport: 'poll', token: 'old', onerror: error => window.say(error) })
  })
  const poll = await server.polls.next('a poll')
  poll.refuse(401, 'DOWNPIPE_TOKEN', 'The token is not accepted')
  t.strictSame(await said.next('the error'), [
    { code: 'DOWNPIPE_TOKEN', message: 'The token is not accepted', status: 401, final: true },
  ])
  await wakeAll(page)
  t.equal(server.paths.length, 1)
})

t.test('a close in an answer counts after its messages', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', {
      transport: 'poll',
      onclose: close => window.say(close.reason),
    })
    push.on('a', data => window.say(data))
  })
  const messages = [{ id: '1-2', channel: 'a', data: 1 }]
  const first = await server.polls.next('a poll')
  first.answer({
    cursor: '1-2',
    ready,
    messages,
    close: { reason: 'shutdown', reconnect: true, retryMs: 777 },
  })
  t.strictSame(await said.next('the message'), [1])
  const second = await server.polls.next('a second poll')
  t.equal(second.query.get('since'), '1-2')
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 777])
  second.answer({ cursor: '1-2', messages: [], close: { reason: 'kick', reconnect: false, retryMs: 0 } })
  t.strictSame(await said.next('the close'), ['kick'])
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 777, 0])
})

t.test('a gap in an answer comes with its cursor, and messages behind it are delivered', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', {
      transport: 'poll',
      since: '0-1',
      ongap: gap => window.say(gap.reason),
    })
    push.on('a', data => window.say(data))
  })
  const gap = { since: '0-1', cursor: '1-4', reason: 'old', spreadMs: 1000, initial: true }
  const first = await server.polls.next('a poll')
  first.answer({ cursor: '1-5', ready, gap, messages: [{ id: '1-5', channel: 'a', data: 5 }] })
  t.strictSame(await said.next('the message'), [5])
  t.strictSame(await said.next('the gap'), ['old'])
  const second = await server.polls.next('a second poll')
  t.equal(second.query.get('since'), '1-5')
})

t.test('close aborts the poll', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    window.push = window.Downpipe.connect('', { transport: 'poll', onerror: error => window.say(error) })
  })
  const poll = await server.polls.next('a poll')
  await page.evaluate(() => window.push.close())
  await poll.ended
  await wakeAll(page)
  t.equal(server.paths.length, 1)
})

for (const transport of ['poll', 'sse'] as const) {
  t.test(
    `${transport} to another origin costs no preflight, and sends cookies only when told to`,
    async t => {
      const { server, page } = await visit(t)
      const other = await startFakeServer('', {})
      t.teardown(() => other.close())
      const calls = transport === 'poll' ? other.polls : other.streams
      // Cookies do not tell ports apart.
      await page.context().addCookies([{ name: 'session', value: 'x', url: server.url }])
      const connect = (path: string, credentials: boolean) =>
        page.evaluate(
          ({ url, ...options }) => {
            window.Downpipe.connect(url, options)
          },
          { url: other.url + path, transport, credentials },
        )
      await connect('/without', false)
      t.equal((await calls.next('a request without cookies')).headers.cookie, undefined)
      await connect('/with', true)
      t.equal((await calls.next('a request with cookies')).headers.cookie, 'session=x')
      t.equal(other.paths.length, 2, 'and there was no other request')
    },
  )
}
