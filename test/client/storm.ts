import { setTimeout as pause } from 'node:timers/promises'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import type { Test } from 'tap'
import { startProxy } from '../helpers/proxy.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { startFakeServer } from './fake-server.js'

/** How a storm goes. */
export interface StormOptions {
  /** The folder with the browser script. */
  readonly scripts: string
  readonly seed: number
  /** How often something happens to a tab. */
  readonly steps: number
  /** What may happen. Default: everything. */
  readonly only?: readonly string[]
  /** How many messages are published at least; it goes on until then. Default: as many as come meanwhile. */
  readonly messages?: number
  /** How long, in ms, the tabs may take to get the last message. */
  readonly patienceMs: number
}

/** What a storm found. */
export interface StormReport {
  /** What was wrong; empty: every tab that lived through a message got it once, in order. */
  readonly faults: readonly string[]
  readonly published: number
  readonly received: number
  /** Pages that were looked at, and what happened to tabs. */
  readonly lives: number
  readonly events: Readonly<Record<string, number>>
  /** Streams and polls that the server was asked for. */
  readonly streams: number
  readonly polls: number
}

interface Published {
  readonly n: number
  /** Missing: it was for the user, or for everybody. */
  readonly channel?: string
}

/** One page view: it stays the same when the page is frozen, or kept for the back button. */
interface Life {
  readonly channels: readonly string[]
  readonly got: number[]
  told: number
  /** How many messages were published when it came to stand. */
  startedAt: number | undefined
}

type Told = readonly [id: string, channels: string[], number: number, what: string, value: never]

interface Tab {
  readonly page: Page
  readonly control: CDPSession
  isFrozen: boolean
  /** Whether it shows the page that listens. */
  isThere: boolean
}

const PAGE = `<!doctype html><title>Tab</title><script src="/downpipe.js"></script><script>
  var query = new URLSearchParams(location.search)
  var life = Math.random().toString(36).slice(2)
  var told = 0
  function tell(what, value) {
    console.log('storm ' + JSON.stringify([life, query.getAll('channel'), told++, what, value]))
  }
  var push = Downpipe.connect(query.get('server'), {
    token: 'token',
    onready: function () { tell('ready') },
    ongap: function (gap) { tell('gap', gap.reason) },
    onclose: function (close) { tell('close', close.reason) },
    onmessage: function (data) { tell('message', data) },
  })
  query.getAll('channel').forEach(function (name) { push.on(name, function () {}) })
</script>`

/** Draws whole numbers from 0 to below a limit: the same for the same seed (mulberry32). */
function createDraw(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** Where messages go: half to a channel of all tabs, the rest to those of some, to the user, to everybody. */
async function publish(server: TestServer, n: number, draw: (limit: number) => number): Promise<Published> {
  const kind = draw(10)
  if (kind === 0) await server.post('/publish', { uid: '5', channel: 'label', data: n })
  else if (kind === 1) await server.post('/publish', { broadcast: true, data: n })
  else {
    const channel = kind < 6 ? 'common' : `own_${draw(4)}`
    await server.post('/publish', { channel, data: n })
    return { n, channel }
  }
  return { n }
}

/**
 * Opens, duplicates, freezes, kills tabs and sends them away and back, at random, while messages flow and streams are cut; then looks
 * at what each page has got.
 */
export async function storm(t: Test, context: BrowserContext, options: StormOptions): Promise<StormReport> {
  const { scripts, seed, steps, messages = 0, patienceMs } = options
  const draw = createDraw(seed)
  const site = await startFakeServer(scripts, { '/tab': PAGE, '/away': '<!doctype html><title>Away</title>' })
  t.teardown(() => site.close())
  const server = await startTestServer({ allowOrigins: [site.url], heartbeatMs: 5_000 })
  t.teardown(() => server.close())
  server.cms.identities.set('token', { uid: '5', channels: ['common', 'own_*'], expiresIn: 3600 })
  const proxy = await startProxy(t, server.url, 20)
  t.teardown(() => Promise.all(tabs.map(({ page }) => page.close())))

  const lives = new Map<string, Life>()
  const faults: string[] = []
  const events: Record<string, number> = {}
  const published: Published[] = []
  let tabs: Tab[] = []

  const take = (text: string) => {
    if (!text.startsWith('storm ')) return
    const [id, channels, number, what, value]: Told = JSON.parse(text.slice(6))
    const life = lives.get(id) ?? {
      channels: ['common', ...channels],
      got: [],
      told: 0,
      startedAt: undefined,
    }
    lives.set(id, life)
    // What a page has said before it was kept for the back button is repeated when it is shown again.
    if (number < life.told) return
    life.told = number + 1
    if (what === 'ready') life.startedAt ??= published.length
    else if (what === 'message') life.got.push(value)
    else faults.push(`${id}: ${what} ${value}`)
  }
  const address = () => {
    const query = new URLSearchParams({ server: proxy.url })
    for (let count = draw(3); count > 0; count--) query.append('channel', `own_${draw(4)}`)
    return `${site.url}/tab?${query}`
  }
  const adopt = async (page: Page): Promise<Tab> => {
    page.on('console', line => take(line.text()))
    const tab = { page, control: await context.newCDPSession(page), isFrozen: false, isThere: true }
    tabs.push(tab)
    page.on('crash', () => {
      tabs = tabs.filter(other => other !== tab)
    })
    return tab
  }
  const open = async () => {
    const { page } = await adopt(await context.newPage())
    await page.goto(address())
  }
  const thaw = async (tab: Tab) => {
    if (tab.isFrozen) await tab.control.send('Page.setWebLifecycleState', { state: 'active' })
    tab.isFrozen = false
  }
  const acts: Record<string, (tab: Tab) => Promise<unknown>> = {
    open,
    async duplicate(tab) {
      await thaw(tab)
      if (!tab.isThere) return
      const [popup] = await Promise.all([
        context.waitForEvent('page'),
        tab.page.evaluate(() => void window.open(location.href)),
      ])
      await adopt(popup)
      await popup.waitForLoadState()
    },
    async freeze(tab) {
      if (!tab.isFrozen) await tab.control.send('Page.setWebLifecycleState', { state: 'frozen' })
      tab.isFrozen = true
    },
    thaw,
    show: tab => tab.page.bringToFront(),
    async leave(tab) {
      await thaw(tab)
      if (tab.isThere) await tab.page.goto(`${site.url}/away`)
      else await tab.page.goBack({ waitUntil: 'commit' })
      tab.isThere = !tab.isThere
    },
    async reload(tab) {
      await thaw(tab)
      await tab.page.reload()
    },
    async close(tab) {
      tabs = tabs.filter(other => other !== tab)
      await tab.page.close()
    },
    async kill(tab) {
      tabs = tabs.filter(other => other !== tab)
      // There is no answer: who should give it?
      tab.control.send('Page.crash').catch(() => {})
      await tab.page.waitForEvent('crash')
      await tab.page.close()
    },
    cut: async () => proxy.cut(/stream$/),
  }
  const names = options.only ?? Object.keys(acts)

  let isOver = false
  const flow = (async () => {
    for (let n = 0; !isOver; n++) {
      published.push(await publish(server, n, draw))
      await pause(12)
    }
  })()
  for (let count = 0; count < 3; count++) await open()
  for (let step = 0; step < steps || published.length < messages; step++) {
    const tab = tabs[draw(tabs.length)]
    // More would keep the machine from being fast enough: they all say what they get.
    const drawn = tabs.length > 6 ? 'close' : names[draw(names.length)]
    const name = tab === undefined || tabs.length < 3 || drawn === undefined ? 'open' : drawn
    events[name] = (events[name] ?? 0) + 1
    if (tab === undefined) await open()
    else await acts[name]?.(tab)
    await pause(20 + draw(60))
  }
  isOver = true
  await flow
  for (const tab of tabs) {
    await thaw(tab)
    if (!tab.isThere) await tab.page.goBack({ waitUntil: 'commit' })
  }

  const current = new Set<string>()
  for (const { page } of tabs) {
    // It may be on its way.
    await page.waitForFunction('window.life')
    current.add(await page.evaluate('life'))
  }
  const wanted = (life: Life) =>
    published
      .filter(({ channel }) => channel === undefined || life.channels.includes(channel))
      .map(({ n }) => n)
  const isDone = (id: string) => {
    const life = lives.get(id)
    return life !== undefined && life.got.at(-1) === wanted(life).at(-1)
  }
  const until = async (isSo: () => boolean) => {
    const endMs = performance.now() + patienceMs
    while (!isSo() && performance.now() < endMs) await pause(20)
  }
  await until(() => [...current].every(id => lives.get(id)?.startedAt !== undefined))
  // Whoever came last has something to get, too.
  await server.post('/publish', { broadcast: true, data: published.length })
  published.push({ n: published.length })
  await until(() => [...current].every(isDone))

  for (const [id, life] of lives) {
    const all = wanted(life)
    const { got, startedAt } = life
    const first = all.indexOf(got[0] ?? all[0] ?? 0)
    const expected = all.slice(first, first + got.length)
    const wrong = got.findIndex((n, index) => n !== expected[index])
    if (wrong >= 0)
      faults.push(
        `${id}: got ${got.slice(Math.max(0, wrong - 3), wrong + 3)} for ${expected.slice(Math.max(0, wrong - 3), wrong + 3)}`,
      )
    if (!current.has(id)) continue
    if (!isDone(id)) faults.push(`${id}: the last is ${got.at(-1)}, not ${all.at(-1)}`)
    if (startedAt !== undefined && got.length > 0 && all.some(n => n >= startedAt && n < (got[0] ?? 0))) {
      faults.push(`${id}: began with ${got[0]}, though it stood at ${startedAt}`)
    }
  }
  // One that was cut comes back when the server says; what is missed meanwhile comes by polls.
  const countStreams = () => proxy.open(/stream$/)
  await until(() => countStreams() === 1)
  const streams = countStreams()
  if (streams !== 1) faults.push(`${streams} streams for ${tabs.length} tabs`)
  const count = (path: string) => proxy.requests.filter(request => request.path === path).length
  const received = [...lives.values()].reduce((sum, { got }) => sum + got.length, 0)
  return {
    faults,
    published: published.length,
    received,
    lives: lives.size,
    events,
    streams: count('/v1/stream'),
    polls: count('/v1/poll'),
  }
}
