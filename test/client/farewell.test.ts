import t from 'tap'
import { prepareBrowser, wakeAll } from './browser.js'

const visit = await prepareBrowser(t)

for (const reason of ['slow', 'busy', 'shutdown', 'age']) {
  t.test(
    `after a close for ${reason} the connection comes back when it was told to, from its cursor`,
    async t => {
      const { server, page, said } = await visit(t)
      await page.evaluate(() => {
        window.Downpipe.connect('', {
          token: 'one',
          onready: () => window.say('ready'),
          onclose: close => window.say(close),
          onerror: error => window.say(error),
        })
      })
      const first = await server.streams.next('a stream')
      first.ready('1-1', [])
      first.frame('heartbeat', '', '1-3')
      first.frame('close', { reason, reconnect: true, retryMs: 4321 })
      const second = await server.streams.next('a second stream')
      await first.ended
      t.equal(second.query.get('since'), '1-3')
      t.equal(second.query.get('token'), 'one')
      t.strictSame(await page.evaluate(() => window.delays), [0, 0, 4321])
      second.ready('1-3', [])
      t.strictSame(await said.next('ready'), ['ready'])
      t.strictSame(await said.next('ready'), ['ready'], 'and nobody is told of the close')
    },
  )
}

for (const reason of ['kick', 'logout', 'forbidden']) {
  t.test(`a close for ${reason} is for good, and onclose says so`, async t => {
    const { server, page, said } = await visit(t)
    await page.evaluate(() => {
      window.push = window.Downpipe.connect('', { onclose: close => window.say(close) })
    })
    const stream = await server.streams.next('a stream')
    const close = { reason, reconnect: false, retryMs: 0 }
    stream.ready('1-1', [])
    stream.frame('close', close)
    t.strictSame(await said.next('the close'), [close])
    await stream.ended
    await page.evaluate(() => window.push.on('new', () => {}))
    await wakeAll(page)
    t.equal(server.paths.length, 1)
  })
}

t.test('a server that closes at once without a delay is not asked in a tight loop', async t => {
  const { server, page } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('')
  })
  for (let n = 0; n < 4; n++) {
    const stream = await server.streams.next('a stream')
    stream.frame('close', { reason: 'busy', reconnect: true, retryMs: 0 })
  }
  await server.streams.next('a stream')
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 500, 1000, 2000, 4000])
})

t.test('a gap is told after a random part of its spread, and the cursor is at its end', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { since: '1-1', ongap: gap => window.say(gap) })
    push.on('a', data => window.say(data))
  })
  const first = await server.streams.next('a stream')
  const gap = { since: '1-1', cursor: '1-50', reason: 'old', spreadMs: 20000, initial: true }
  first.ready('1-1', ['a'])
  first.frame('gap', gap, '1-50')
  t.strictSame(await said.next('the gap'), [gap])
  t.strictSame(await page.evaluate(() => window.delays), [0, 0, 10000])
  first.message('1-51', { channel: 'a', data: 1 })
  await said.next('the message')
  first.frame('gap', { ...gap, cursor: '1-60', initial: false }, '1-60')
  await said.next('the gap')
  first.frame('close', { reason: 'age', reconnect: true, retryMs: 1 })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('since'), '1-60')
})

t.test('a gap after a reopening is not initial, though the server cannot know', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { since: '1-1', ongap: gap => window.say(gap.initial) })
  })
  const gap = { since: '1-1', cursor: '1-50', reason: 'old', spreadMs: 0, initial: true }
  const first = await server.streams.next('a stream')
  first.ready('1-1', [])
  first.frame('gap', gap, '1-50')
  t.strictSame(await said.next('the gap'), [true])
  first.frame('close', { reason: 'shutdown', reconnect: true, retryMs: 1 })
  const second = await server.streams.next('a second stream')
  second.ready('1-50', [])
  second.frame('gap', { ...gap, since: '1-50', cursor: '1-90' }, '1-90')
  t.strictSame(await said.next('the gap'), [false])
})

t.test('a gap stays initial when only ready has come again before it, on either transport', async t => {
  // A server that waits for a place ahead of it may have news about the visitor before it gives up and says gap.
  const { server, page, said } = await visit(t)
  const gap = { since: '1-90', cursor: '1-50', reason: 'ahead', spreadMs: 0, initial: true }
  for (const transport of ['sse', 'poll'] as const) {
    await page.evaluate(transport => {
      window.Downpipe.connect('', { transport, since: '1-90', ongap: gap => window.say(gap.initial) })
    }, transport)
    if (transport === 'sse') {
      const stream = await server.streams.next('a stream')
      stream.ready('1-90', ['a'])
      stream.frame('ready', { uid: '5', channels: ['a', 'b'], heartbeat: 25, v: 'v2' })
      stream.frame('gap', gap, '1-50')
    } else {
      const first = await server.polls.next('a poll')
      first.answer({ cursor: '1-90', ready: { uid: '5', channels: ['a'], v: 'v1' }, messages: [] })
      const second = await server.polls.next('a second poll')
      second.answer({ cursor: '1-50', ready: { uid: '5', channels: ['b'], v: 'v2' }, gap, messages: [] })
    }
    t.strictSame(await said.next('the gap'), [true])
  }
})

t.test('a gap is not told to a page that has closed the connection', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { transport: 'poll', ongap: gap => window.say(gap) })
    push.on('a', () => {
      push.close()
      // Its timer runs after the gap's, which is set already.
      setTimeout(() => window.say('later'))
    })
  })
  const poll = await server.polls.next('a poll')
  const ready = { uid: '5', channels: ['a'], heartbeat: 25, v: 'v1' }
  const gap = { since: '1-1', cursor: '1-2', reason: 'old', spreadMs: 1000, initial: true }
  const messages = [{ id: '1-3', channel: 'a', data: 1 }]
  poll.answer({ cursor: '1-3', ready, gap, messages })
  t.strictSame(await said.next('the end'), ['later'])
})

t.test('a gap is also an event of the document', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    document.addEventListener('downpipe:gap', event => window.say('event', (event as CustomEvent).detail))
    window.Downpipe.connect('', { since: '1-1', ongap: gap => window.say('ongap', gap.initial) })
  })
  const stream = await server.streams.next('a stream')
  const gap = { since: '1-1', cursor: '1-50', reason: 'old', spreadMs: 0, initial: true }
  stream.ready('1-1', [])
  stream.frame('gap', gap, '1-50')
  t.strictSame(await said.next('the gap'), ['ongap', true])
  t.strictSame(await said.next('the event'), ['event', gap])
})
