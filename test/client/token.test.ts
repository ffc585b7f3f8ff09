import t from 'tap'
import { prepareBrowser, wakeAll } from './browser.js'

const visit = await prepareBrowser(t)

t.test('a token function may return the token, promise it, or hand it to the callback', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('/1', { token: () => 'returned' })
  })
  t.equal((await server.streams.next('a stream')).query.get('token'), 'returned')
  await page.evaluate(() => {
    window.Downpipe.connect('/2', { token: async () => 'promised' })
  })
  t.equal((await server.streams.next('a stream')).query.get('token'), 'promised')
  await page.evaluate(() => {
    window.Downpipe.connect('/3', { token: done => done('called') })
  })
  t.equal((await server.streams.next('a stream')).query.get('token'), 'called')
  await page.evaluate(() => {
    window.Downpipe.connect('/4', { token: done => void setTimeout(() => done('called later')) })
  })
  t.equal((await server.streams.next('a stream')).query.get('token'), 'called later')
  await page.evaluate(() => {
    window.Downpipe.connect('/5', { token: () => null })
  })
  t.equal((await server.streams.next('a stream')).query.get('token'), null)
})

t.test('of several answers of a token function the first counts', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    const token = (done: (token: string) => void) => {
      done('first')
      done('second')
      return 'third'
    }
    window.Downpipe.connect('/1', { token })
    window.Downpipe.connect('/2')
  })
  t.equal((await server.streams.next('a stream')).query.get('token'), 'first')
  await server.streams.next('the other stream')
  t.strictSame(server.paths, ['/1/v1/stream', '/2/v1/stream'])
})

t.test('on expired a new token is fetched and the stream goes on from its cursor', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    let count = 0
    const push = window.Downpipe.connect('', {
      token: () => `t${++count}`,
      onclose: close => window.say(close),
    })
    push.on('a', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  t.equal(first.query.get('token'), 't1')
  first.ready('1-1', ['a'])
  first.message('1-2', { channel: 'a', data: 2 })
  first.frame('close', { reason: 'expired', reconnect: true, retryMs: 300 })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('token'), 't2')
  t.equal(second.query.get('since'), '1-2')
  second.ready('1-2', ['a'])
  second.message('1-3', { channel: 'a', data: 3 })
  t.strictSame(await said.next('the first message'), [2])
  t.strictSame(await said.next('the second message'), [3])
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 300, 0])
})

t.test('other closes keep the token, so that a reconnect costs the CMS nothing', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    let count = 0
    window.Downpipe.connect('', { token: () => `t${++count}` })
  })
  const first = await server.streams.next('a stream')
  first.ready('1-1', [])
  first.frame('close', { reason: 'shutdown', reconnect: true, retryMs: 300 })
  t.equal((await server.streams.next('a second stream')).query.get('token'), 't1')
})

t.test('after a 401 a new token is fetched at once, and after another one with delays', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    let count = 0
    window.Downpipe.connect('', {
      token: () => `t${++count}`,
      onready: () => window.say('ready'),
      onerror: error => window.say(error),
    })
  })
  for (const token of ['t1', 't2', 't3']) {
    const stream = await server.streams.next('a stream')
    t.equal(stream.query.get('token'), token)
    stream.refuse(401, 'DOWNPIPE_TOKEN', 'No')
    const poll = await server.polls.next('the question why')
    t.equal(poll.query.get('token'), token)
    poll.refuse(401, 'DOWNPIPE_TOKEN', 'No')
  }
  const refused = { code: 'DOWNPIPE_TOKEN', message: 'No', status: 401, final: false }
  t.strictSame(await said.next('the error'), [refused])
  t.strictSame(await said.next('the error'), [refused])
  const last = await server.streams.next('the last stream')
  t.equal(last.query.get('token'), 't4')
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 0, 0, 1000, 0, 2000, 0])
  last.ready('1-1', [])
  t.strictSame(await said.next('ready'), ['ready'])
})

t.test('a connection never continues as somebody else', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    let count = 0
    const push = window.Downpipe.connect('', {
      transport: 'poll',
      token: () => `t${++count}`,
      onready: ready => window.say(ready.uid),
      onclose: close => window.say(close),
    })
    push.on('user_5', data => window.say(data))
  })
  const ready = { uid: '5', channels: ['user_5'], heartbeat: 25, v: '1' }
  const first = await server.polls.next('a poll')
  first.answer({ cursor: '1-1', ready, messages: [] })
  t.strictSame(await said.next('ready'), ['5'])
  const second = await server.polls.next('a second poll')
  second.refuse(401, 'DOWNPIPE_TOKEN', 'No')
  const third = await server.polls.next('a third poll')
  t.equal(third.query.get('token'), 't2')
  const messages = [{ id: '1-2', channel: 'user_5', data: 'not for you' }]
  third.answer({ cursor: '1-2', ready: { ...ready, uid: '6' }, messages })
  const close = { reason: 'identity', reconnect: false, retryMs: 0 }
  t.strictSame(await said.next('the close'), [close], 'and nothing else')
  t.strictSame(said.rest, [])
})

t.test('a session is fetched from a route of the CMS, and again on expired, and again on 401', async t => {
  const { server, page, said } = await visit(t)
  const sessions = [
    { token: 's1', since: '1-7', channels: ['a', 'b'], grants: ['g1'] },
    { token: 's2', since: '9-9', channels: ['a'], grants: ['g2'] },
    { token: null },
  ]
  let asked = 0
  await page.route('**/session', async route => {
    await route.fulfill({ json: sessions[asked++] })
  })
  await page.evaluate(() => {
    window.push = window.Downpipe.connect('', { session: '/session', channels: ['own'], grants: ['g0'] })
    window.push.on('a', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  t.equal(first.query.get('token'), 's1')
  t.equal(first.query.get('since'), '1-7')
  t.strictSame(first.query.getAll('channel'), ['own', 'a', 'b'])
  t.strictSame(first.query.getAll('grant'), ['g0', 'g1'])
  first.ready('1-7', ['own', 'a', 'b'])
  first.message('1-8', { channel: 'a', data: 8 })
  t.strictSame(await said.next('the message'), [8])
  first.frame('close', { reason: 'expired', reconnect: true, retryMs: 10 })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('token'), 's2')
  t.equal(second.query.get('since'), '1-8', 'the place where it is, not where the session would begin')
  t.strictSame(second.query.getAll('channel'), ['own', 'a'])
  t.strictSame(second.query.getAll('grant'), ['g0', 'g2'])
  second.refuse(401, 'DOWNPIPE_TOKEN', 'No')
  const why = await server.polls.next('the question why')
  why.refuse(401, 'DOWNPIPE_TOKEN', 'No')
  const third = await server.streams.next('a third stream')
  t.equal(third.query.get('token'), null)
  t.equal(asked, 3)
})

t.test('a session that cannot be had is asked for again', async t => {
  const { server, page, said } = await visit(t)
  const answers = [
    { status: 500, body: 'Oops' },
    { status: 200, body: '<html>' },
    { status: 200, json: {} },
    { status: 200, json: { token: 'good' } },
  ]
  await page.route('**/session', route => route.fulfill(answers.shift()))
  await page.evaluate(() => {
    const onerror = (error: { code: string; final: boolean }) => window.say(error.code, error.final)
    window.Downpipe.connect('', { session: '/session', onerror })
  })
  for (let n = 0; n < 3; n++) t.strictSame(await said.next('the error'), ['token', false])
  t.equal((await server.streams.next('a stream')).query.get('token'), 'good')
  t.strictSame(await page.evaluate(() => window.delays), [0, 500, 1000, 2000, 0])
})

t.test('a refused string is final', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { token: 'old', onerror: error => window.say(error) })
  })
  const stream = await server.streams.next('a stream')
  stream.refuse(401, 'DOWNPIPE_TOKEN', 'No')
  const poll = await server.polls.next('the question why')
  poll.refuse(401, 'DOWNPIPE_TOKEN', 'No')
  t.strictSame(await said.next('the error'), [
    { code: 'DOWNPIPE_TOKEN', message: 'No', status: 401, final: true },
  ])
  await wakeAll(page)
  t.equal(server.paths.length, 2)
})

t.test('a token function that fails is asked again later', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const answers = [
      () => {
        throw new Error('thrown')
      },
      () => Promise.reject('rejected'),
      () => 5,
      async () => undefined,
      () => 'good',
    ]
    let count = 0
    // As a page in plain JavaScript may get it wrong.
    const token = () => answers[count++]?.() as string
    window.Downpipe.connect('', { token, onerror: error => window.say(error) })
  })
  for (const why of ['Error: thrown', 'rejected', '5', 'undefined']) {
    const error = { code: 'token', message: `No token: ${why}`, status: 0, final: false }
    t.strictSame(await said.next('the error'), [error])
  }
  t.equal((await server.streams.next('a stream')).query.get('token'), 'good')
  t.strictSame(await page.evaluate(() => window.delays), [0, 500, 1000, 2000, 4000, 0])
})

t.test('a token that comes after the connection was closed is not used', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('/1', {
      token(done: (token: string) => void) {
        push.close()
        done('late')
        setTimeout(() => {
          done('later')
          window.Downpipe.connect('/2')
        })
      },
    })
  })
  await server.streams.next('the other stream')
  t.strictSame(server.paths, ['/2/v1/stream'])
})
