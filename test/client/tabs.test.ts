import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { PageOptions } from '../../src/client/index.js'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { seed } from '../helpers/seed.js'
import { buildScripts } from './browser.js'
import { type Call, type FakeServer, startFakeServer } from './fake-server.js'
import { Queue } from './queue.js'
import { storm } from './storm.js'

const scripts = t.testdir()
const [context] = await Promise.all([launchBrowserOfPeople(t), buildScripts(scripts)])

interface Tab {
  readonly page: Page
  /** The data of the messages that it got. */
  readonly got: Queue<unknown>
  /** What else it has written to the console. */
  readonly lines: Queue<string>
}

async function startServer(t: Test): Promise<FakeServer> {
  const server = await startFakeServer(scripts, { '/who': '{"token":"t"}' })
  t.teardown(() => server.close())
  return server
}

/** A tab that connects to the server. */
async function openTab(
  t: Test,
  { url }: FakeServer,
  options: PageOptions,
  query = '',
  prepare = async (_page: Page) => {},
): Promise<Tab> {
  const page = await context.newPage()
  t.teardown(() => page.close())
  await prepare(page)
  const got = new Queue<unknown>()
  const lines = new Queue<string>()
  page.on('console', line => {
    const text = line.text()
    if (text.startsWith('got ')) got.push(JSON.parse(text.slice(4)))
    else lines.push(text)
  })
  await page.goto(`${url}/${query}`)
  await page.evaluate(options => {
    // biome-ignore lint/suspicious/noConsole: what a page can tell its test by.
    const onmessage = (data: unknown) => console.log(`got ${JSON.stringify(data)}`)
    window.push = window.Downpipe.connect('', { ...options, onmessage })
  }, options)
  return { page, got, lines }
}

/** Lets time pass, in steps of 4 s. */
async function pass({ page }: Tab, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 4_000) {
    // The clock of all tabs.
    await page.clock.runFor(4_000)
    // What one says to the other is read in later turns.
    await page.waitForTimeout(50)
  }
}

const ready = { uid: '5', channels: ['b'], heartbeat: 25, v: 'v1', presence: [], refused: [] }
const whole = { cursor: '1-2', ready: { ...ready, channels: ['a'] }, messages: [] }

/** Opens a second tab beside one that leads, and waits until both get what comes over the stream of that one. */
async function joinFirst(
  t: Test,
  server: FakeServer,
  first: Tab,
  options: PageOptions,
): Promise<{ readonly stream: Call; readonly second: Tab }> {
  const stream = await server.streams.next('a stream')
  stream.ready('1-2', ['a'])
  const second = await openTab(t, server, options)
  const joining = await server.polls.next('a question about what the second lacks')
  joining.answer(whole)
  stream.message('1-3', { channel: 'a', data: 'for both' })
  for (const { got } of [first, second]) t.equal(await got.next('a message'), 'for both')
  return { stream, second }
}

t.test('tabs of one visitor have one connection for what all want, and each gets its own', async t => {
  const server = await startServer(t)
  const first = await openTab(t, server, { token: 't', channels: ['a'], grants: ['g1'] })
  const alone = await server.streams.next('a stream')
  t.strictSame(alone.query.getAll('channel'), ['a'])
  alone.ready('1-1', ['a'])
  alone.message('1-2', { channel: 'a', data: 'early' })
  t.equal(await first.got.next('a message'), 'early')

  const second = await openTab(t, server, { token: 't', channels: ['b'], grants: ['g2'] })
  const shared = await server.streams.next('a stream for both')
  await alone.ended
  t.strictSame(shared.query.getAll('channel').toSorted(), ['a', 'b'])
  t.strictSame(shared.query.getAll('grant').toSorted(), ['g1', 'g2'])
  t.equal(shared.query.get('since'), '1-2')
  shared.ready('1-2', ['a', 'b'])
  const missed = await server.polls.next('a question about what the second lacks')
  t.strictSame(missed.query.getAll('channel'), ['b'])
  t.strictSame(missed.query.getAll('grant'), ['g2'])
  missed.answer({ cursor: '1-2', ready, messages: [] })
  shared.message('1-3', { channel: 'a', data: 'for a' })
  shared.message('1-4', { channel: 'b', data: 'for b' })
  shared.message('1-5', { channels: ['a', 'b'], data: 'for both' })
  for (const data of ['for a', 'for both']) t.equal(await first.got.next('a message'), data)
  for (const data of ['for b', 'for both']) t.equal(await second.got.next('a message'), data)
  t.strictSame(server.paths, ['/v1/stream', '/v1/stream', '/v1/poll'])

  await first.page.close()
  const next = await server.streams.next('a stream of the one that is left')
  t.strictSame(next.query.getAll('channel'), ['b'])
  t.strictSame(next.query.getAll('grant'), ['g2'])
  t.equal(next.query.get('since'), '1-5')
  next.ready('1-5', ['b'])
  next.message('1-6', { channel: 'b', data: 'alone' })
  t.equal(await second.got.next('a message'), 'alone')
  t.strictSame(second.got.rest, [])
})

t.test('a leader that does not answer loses the lead, and follows when it is back', async t => {
  const server = await startServer(t)
  const options = { token: 't', channels: ['a'] }
  const first = await openTab(t, server, options, '', page => page.clock.install())
  const { stream: early, second } = await joinFirst(t, server, first, options)
  await pass(second, 24_000)
  t.strictSame(server.paths, ['/v1/stream', '/v1/poll'], 'a leader that has nothing to say keeps the lead')
  early.frame('close', { reason: 'busy', reconnect: true, retryMs: 60_000 })
  await early.ended
  await pass(second, 48_000)
  t.equal(server.paths.length, 2, 'a leader that waits as the server asked keeps the lead')
  await pass(second, 12_000)
  const stuck = await server.streams.next('a stream of the first')
  stuck.ready('1-3', ['a'])
  const news = await server.polls.next('a question of the second about itself')
  news.answer({ ...whole, cursor: '1-3' })

  // As others see a page that is suspended, or hangs.
  const post = await first.page.evaluateHandle(() => BroadcastChannel.prototype.postMessage)
  await first.page.evaluate(() => {
    BroadcastChannel.prototype.postMessage = () => {}
  })
  await pass(second, 12_000)
  const taken = await server.streams.next('a stream of the second')
  t.equal(taken.query.get('since'), '1-3')
  await stuck.ended
  taken.ready('1-3', ['a'])
  taken.message('1-4', { channel: 'a', data: 'by the second' })
  t.equal(await second.got.next('a message'), 'by the second')

  await first.page.evaluate(post => {
    BroadcastChannel.prototype.postMessage = post
  }, post)
  await pass(second, 8_000)
  const back = await server.polls.next('a question of the first about what it lacks')
  t.equal(back.query.get('since'), '1-3')
  back.answer({ ...whole, cursor: '1-4', messages: [{ id: '1-4', channel: 'a', data: 'by the second' }] })
  taken.message('1-5', { channel: 'a', data: 'for both' })
  for (const data of ['by the second', 'for both']) t.equal(await first.got.next('a message'), data)
  t.equal(await second.got.next('a message'), 'for both')
  t.strictSame([...first.got.rest, ...second.got.rest], [])
})

t.test('a leader that was robbed asks anew what it has, for it may have missed news', async t => {
  const server = await startServer(t)
  const options = { token: 't' }
  const first = await openTab(t, server, options, '', async page => {
    await page.clock.install()
    await page.addInitScript(() => {
      const { BroadcastChannel: Original } = window
      window.BroadcastChannel = class extends Original {
        override set onmessage(hear: (event: MessageEvent) => void) {
          super.onmessage = event => {
            if (!('isDeaf' in window)) hear(event)
          }
        }
        override postMessage(word: unknown): void {
          if (!('isDeaf' in window)) super.postMessage(word)
        }
      }
    })
  })
  const { stream: early, second } = await joinFirst(t, server, first, options)
  await first.page.evaluate(() => Object.assign(window, { isDeaf: true }))
  await pass(second, 12_000)
  const taken = await server.streams.next('a stream of the second')
  await early.ended
  taken.ready('1-3', ['a', 'b'])
  await pass(second, 4_000)
  await first.page.evaluate(() => Reflect.deleteProperty(window, 'isDeaf'))
  await pass(second, 8_000)
  const back = await server.polls.next('a question of the first about itself')
  back.answer({ ...whole, cursor: '1-3', ready: { ...ready, channels: ['a', 'b'] } })
  taken.message('1-4', { channel: 'b', data: 'new' })
  for (const { got } of [first, second]) t.equal(await got.next('a message'), 'new')
})

t.test(
  'tabs of others, those that shall not share, and those of unknown visitors have their own',
  async t => {
    for (const both of [
      [{ token: 't' }, { token: 'u' }],
      [{ token: 't', share: false }, { token: 't' }],
      [
        { token: 't', credentials: true },
        { token: 't', credentials: true },
      ],
      [{}, {}],
      [{ session: '/who' }, { session: '/who' }],
    ] as const) {
      // One for each, for a browser has no more than six connections to the same.
      const server = await startServer(t)
      for (const options of both) {
        await openTab(t, server, options)
        const stream = await server.streams.next(`a stream for ${JSON.stringify(options)}`)
        stream.ready('1-1', ['a'])
      }
      t.equal(server.paths.length, 2)
    }
  },
)

t.test('where the browser lacks the parts, each tab has its own', async t => {
  const server = await startServer(t)
  for (const lacking of ['locks', 'BroadcastChannel']) {
    for (let tab = 0; tab < 2; tab++) {
      const page = await context.newPage()
      t.teardown(() => page.close())
      await page.addInitScript(`delete window.${lacking}; delete Navigator.prototype.${lacking}`)
      await page.goto(server.url)
      await page.evaluate(() => {
        window.push = window.Downpipe.connect('', { token: 't' })
      })
      const stream = await server.streams.next(`a stream without ${lacking}, tab ${tab}`)
      stream.ready('1-1', ['a'])
    }
  }
})

t.test('debugging says in sentences what is done and why, and no secret', async t => {
  const server = await startServer(t)
  const options = { token: 'secret-1', grants: ['secret-2'], channels: ['a'] }
  const quiet = await openTab(t, server, { ...options, share: false })
  const unheard = await server.streams.next('a stream')
  unheard.ready('1-1', ['a'])
  const first = await openTab(t, server, options, '?downpipe-debug')
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a'])
  stream.message('1-2', { channel: 'a', data: 'said' })
  t.equal(await first.got.next('a message'), 'said')
  stream.frame('close', { reason: 'age', reconnect: true, retryMs: 10 })
  const again = await server.streams.next('a second stream')
  again.refuse(503, 'DOWNPIPE_BUSY', 'Not now', { retryAfter: 1 })
  const why = await server.polls.next('the question why')
  // Whoever answers may repeat what was asked.
  why.answer({ error: `no ${why.query}` }, 404)
  const third = await server.streams.next('a third stream')
  third.ready('1-2', ['a'])
  third.message('1-3', { channel: 'a', data: 'said to one' })
  t.equal(await first.got.next('a message'), 'said to one')
  const second = await openTab(t, server, options, '?downpipe-debug')
  const poll = await server.polls.next('what the second tab asks by itself')
  poll.answer({ cursor: '1-3', ready: { ...ready, channels: ['a'] }, messages: [] })
  third.message('1-4', { channel: 'a', data: 'said to both' })
  t.equal(await second.got.next('a message'), 'said to both')
  // The console shows what is in there when one clicks it.
  const gets = (part: string) => new RegExp(`^Downpipe gets {(.*, )?${part}`)
  const said = (tab: Tab) => tab.lines.rest.filter(line => line.startsWith('Downpipe '))
  t.match(said(first), [
    'Downpipe sees load',
    'Downpipe asks tabs',
    'Downpipe leads tabs',
    'Downpipe asks by sse',
    gets('ready: Object'),
    gets('message: Object'),
    gets('close: Object'),
    'Downpipe leads tabs',
    'Downpipe asks by sse',
    'Downpipe gets 404',
  ])
  t.match(said(second), [
    'Downpipe sees load',
    'Downpipe asks tabs',
    // Where the leader is.
    gets('messages: Array\\(0\\)'),
    gets('message: Object'),
  ])
  t.equal(said(second).length, 4, 'it does not lead')
  await first.page.close()
  const last = await server.streams.next('a stream of the second tab')
  last.ready('1-4', ['a'])
  last.message('1-5', { channel: 'a', data: 'said to the other' })
  t.equal(await second.got.next('a message'), 'said to the other')
  t.match(said(second).slice(4), [
    'Downpipe leads tabs',
    'Downpipe asks by sse',
    gets('ready: Object'),
    gets('message: Object'),
  ])
  t.notMatch([...said(first), ...said(second)].join('\n'), /secret|token=|grant=/)
  t.strictSame(quiet.lines.rest, [])
})

t.test('whatever happens to tabs, each gets every message that it lived through once, in order', async t => {
  const report = await storm(t, context, { scripts, seed, steps: 12, patienceMs: 5_000 })
  t.comment(`seed ${seed}: ${JSON.stringify(report)}`)
  t.strictSame(report.faults, [], `seed ${seed}`)
})
