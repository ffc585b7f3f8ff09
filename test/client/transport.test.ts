import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { launchChromium } from '../helpers/chromium.js'
import { startProxy } from '../helpers/proxy.js'
import { startTestServer } from '../helpers/server.js'
import { buildScripts } from './browser.js'
import { type FakeServer, startFakeServer } from './fake-server.js'
import { Queue } from './queue.js'

// Here the pages' clocks stand still unless a test turns them: all timers come when it says, and as late as it says.

const scripts = t.testdir()
const [browser] = await Promise.all([launchChromium(t), buildScripts(scripts)])

const ready = { uid: '5', channels: ['a'], heartbeat: 25, v: 'v1', presence: [], refused: [] }

interface Visit {
  readonly server: FakeServer
  readonly page: Page
  readonly said: Queue<unknown[]>
  /** What the script has said on the console, but for what it has got. */
  readonly why: readonly string[]
}

/** Lets the time pass in small steps, until it is so. */
async function pass(page: Page, what: string, isSo: () => boolean): Promise<void> {
  for (let step = 0; !isSo(); step++) {
    if (step > 200) throw new Error(`${what} did not come`)
    await page.clock.runFor(3_500)
    // What the page asks for arrives meanwhile.
    await page.evaluate(() => fetch('/favicon.ico'))
  }
}

async function visit(t: Test, url = ''): Promise<Visit> {
  const server = await startFakeServer(scripts, {})
  t.teardown(() => server.close())
  const page = await browser.newPage()
  t.teardown(() => page.close())
  const said = new Queue<unknown[]>()
  const why: string[] = []
  page.on('console', line => {
    if (line.text().startsWith('say ')) said.push(JSON.parse(line.text().slice(4)))
    if (/^Downpipe (?!gets )/.test(line.text())) why.push(line.text().slice(9))
  })
  await page.clock.install()
  await page.clock.pauseAt(Date.now() + 1_000)
  await page.goto(`${server.url}/?downpipe-debug`)
  await page.evaluate(url => {
    // biome-ignore lint/suspicious/noConsole: what a page can tell its test by.
    window.say = (...what) => console.log(`say ${JSON.stringify(what)}`)
    window.push = window.Downpipe.connect(url, {
      onready: () => window.say('ready', window.push.transport),
      onerror: error => window.say('error', error.code),
      onmessage: data => window.say(data),
    })
  }, url)
  await page.clock.runFor(10)
  return { server, page, said, why }
}

t.test(
  'a stream of which nothing comes in eight seconds gives way to polls, from the same place',
  async t => {
    const { server, page, said } = await visit(t)
    const stream = await server.streams.next('a stream')
    await page.clock.runFor(7_500)
    t.strictSame(server.paths, ['/v1/stream'], 'a slow CMS is no reason')
    // With the random time after which it asks again.
    await page.clock.runFor(2_000)
    const poll = await server.polls.next('a poll')
    await stream.ended
    poll.answer({ cursor: '1-1', ready, messages: [{ id: '1-1', channel: 'a', data: 'one' }] })
    t.strictSame(await said.next('ready'), ['ready', 'poll'])
    t.strictSame(await said.next('the message'), ['one'])
    const second = await server.polls.next('a second poll')
    t.equal(second.query.get('since'), '1-1')
  },
)

t.test('a stream that falls silent for two heartbeats gives way to polls, for ten minutes', async t => {
  const { server, page, said, why } = await visit(t)
  const first = await server.streams.next('a stream')
  first.ready('1-1', ['a'])
  first.message('1-2', { channel: 'a', data: 'two' })
  await said.next('ready')
  t.strictSame(await said.next('the message'), ['two'])
  await page.clock.runFor(45_000)
  first.frame('heartbeat', '', '1-3')
  // Nobody can see a heartbeat from here; a message comes behind it.
  first.message('1-4', { channel: 'a', data: 'four' })
  await said.next('the message')
  await page.clock.runFor(50_000)
  t.strictSame(server.paths, ['/v1/stream'], 'it was heard in between')
  await page.clock.runFor(10_000)
  const poll = await server.polls.next('a poll')
  t.equal(poll.query.get('since'), '1-4')
  poll.answer({ cursor: '1-5', ready, messages: [{ id: '1-5', channel: 'a', data: 'five' }] })
  t.strictSame(await said.next('ready'), ['ready', 'poll'])
  t.strictSame(await said.next('the message'), ['five'])
  for (let minute = 1; minute < 10; minute++) {
    const next = await server.polls.next('another poll')
    await page.clock.runFor(60_000 - 25_000)
    next.answer({ cursor: '1-5', messages: [] })
    const more = await server.polls.next('another poll')
    await page.clock.runFor(25_000)
    more.answer({ cursor: '1-5', messages: [] })
  }
  t.equal(server.paths.filter(path => path === '/v1/stream').length, 1)
  await pass(page, 'a stream', () => server.streams.rest.length > 0)
  const again = await server.streams.next('a stream')
  t.equal(again.query.get('since'), '1-5')
  again.ready('1-5', ['a'])
  t.strictSame(await said.next('ready'), ['ready', 'sse'])
  t.strictSame(why, [
    'sees load',
    'asks by sse',
    'reconnects for silence',
    'asks by poll',
    'reconnects for streams',
    'asks by sse',
  ])
})

for (const sleepMs of [20_000, 3_600_000]) {
  t.test(
    `after the machine has slept for ${sleepMs} ms the stream is opened anew, and not blamed`,
    async t => {
      const { server, page, said, why } = await visit(t)
      const first = await server.streams.next('a stream')
      first.ready('1-1', ['a'])
      await said.next('ready')
      await page.clock.runFor(10_000)
      await page.clock.fastForward(sleepMs)
      await page.clock.runFor(1_000)
      const second = await server.streams.next('a second stream')
      t.equal(second.query.get('since'), '1-1')
      second.ready('1-1', ['a'])
      t.strictSame(await said.next('ready'), ['ready', 'sse'])
      t.strictSame(server.paths, ['/v1/stream', '/v1/stream'])
      t.strictSame(why, ['sees load', 'asks by sse', 'reconnects for sleep', 'asks by sse'])
    },
  )
}

t.test('where streams are refused twice and polls are not, polls it is', async t => {
  const { server, page, said } = await visit(t)
  for (let n = 0; n < 2; n++) {
    const stream = await server.streams.next('a stream')
    stream.answerWith('<h1>No streams here</h1>', 'text/html', 502)
    const why = await server.polls.next('the question why')
    t.equal(why.query.get('wait'), '0')
    why.answer({ cursor: '1-1', ready, messages: [] })
    t.strictSame(await said.next('the error'), ['error', 'network'])
    await page.clock.runFor(4_000)
  }
  const poll = await server.polls.next('a poll')
  t.equal(poll.query.get('wait'), '25')
  poll.answer({ cursor: '1-1', ready, messages: [] })
  t.strictSame(await said.next('ready'), ['ready', 'poll'])
})

t.test(
  'a proxy that holds streams back, and one that mutes them, lose nothing and repeat nothing',
  async t => {
    const server = await startTestServer({ allowOrigins: ['*'], anonymousChannels: ['a'] })
    t.teardown(() => server.close())
    const proxy = await startProxy(t, server.url)
    proxy.set({ buffer: Number.POSITIVE_INFINITY }, /stream$/)
    const { page, said } = await visit(t, proxy.url)
    await page.evaluate(() => window.push.on('a', () => {}))
    await page.clock.runFor(9_500)
    // The first answer lacks the channel, which is asked for in the next turn.
    await page.clock.runFor(100)
    t.strictSame(await said.next('ready'), ['ready', 'poll'])
    for (let n = 0; n < 3; n++) {
      await server.post('/publish', { channel: 'a', data: n })
      t.strictSame(await said.next('the message'), [n])
    }
    // Ten minutes later the stream works, until it is muted in the middle.
    proxy.set('pass', /stream$/)
    await pass(page, 'a stream', () => proxy.open(/stream$/) > 0)
    // The polls in between fell silent, as a page sees it whose clock runs this fast.
    while (String(await said.next('ready')) !== 'ready,sse');

    await server.post('/publish', { channel: 'a', data: 3 })
    t.strictSame(await said.next('the message'), [3])
    proxy.set('mute', /stream$/)
    await server.post('/publish', { channel: 'a', data: 4 })
    await page.clock.runFor(61_000)
    await page.clock.runFor(100)
    t.strictSame(await said.next('ready'), ['ready', 'poll'])
    t.strictSame(await said.next('the message that the proxy has swallowed'), [4])
    await server.post('/publish', { channel: 'a', data: 5 })
    t.strictSame(await said.next('the message'), [5])
    t.strictSame(said.rest, [])
  },
)
