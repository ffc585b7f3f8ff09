import type { CDPSession, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { buildScripts } from './browser.js'
import { type Call, type FakeServer, startFakeServer } from './fake-server.js'
import { Queue } from './queue.js'

const scripts = t.testdir()
const [context] = await Promise.all([launchBrowserOfPeople(t), buildScripts(scripts)])

interface Visit {
  readonly server: FakeServer
  readonly page: Page
  readonly control: CDPSession
  readonly said: Queue<string>
}

/** A page that connects with these options and says by which events it was shown, and what it has got. */
const html = (
  options: object,
) => `<!doctype html><title>Page</title><script src="/downpipe.js"></script><script>
  var count = 0
  function say(what) { console.log('say ' + count++ + ' ' + what) }
  addEventListener('pageshow', function (event) { if (event.persisted) say('kept') })
  var options = ${JSON.stringify(options)}
  options.onready = function () { say('ready') }
  options.onerror = function (error) { say('error ' + error.code) }
  var push = Downpipe.connect('', options)
  push.on('a', function (data) { say(data) })
</script>`

async function visit(t: Test, options: object = {}): Promise<Visit> {
  const server = await startFakeServer(scripts, { '/page': html(options), '/other': '<!doctype html>Other' })
  t.teardown(() => server.close())
  const page = await context.newPage()
  t.teardown(() => page.close())
  const said = new Queue<string>()
  let next = 0
  page.on('console', line => {
    const [, number, what] = /^say (\d+) (.*)/.exec(line.text()) ?? []
    // Chromium repeats what a page has said when it is shown again.
    if (what === undefined || Number(number) < next) return
    next = Number(number) + 1
    said.push(what)
  })
  await page.goto(`${server.url}/page`)
  return { server, page, control: await context.newCDPSession(page), said }
}

/** A stream that stands, and has brought one message. */
async function standing({ server, said }: Visit, id = '1-1'): Promise<Call> {
  const stream = await server.streams.next('a stream')
  stream.ready(id, ['a'])
  while ((await said.next('ready')) !== 'ready');
  return stream
}

for (const share of ['everybody', false]) {
  t.test(`the back button shows the page as it was, and it goes on from there (share: ${share})`, async t => {
    const visited = await visit(t, { share })
    const { server, page, said } = visited
    const first = await standing(visited)
    first.message('1-2', { channel: 'a', data: 'two' })
    t.equal(await said.next('the message'), 'two')
    await page.goto(`${server.url}/other`)
    await first.ended
    await page.goBack({ waitUntil: 'commit' })
    t.equal(await said.next('the page'), 'kept', 'the browser has kept it')
    const second = await server.streams.next('a second stream')
    t.equal(second.query.get('since'), '1-2')
    second.ready('1-2', ['a'])
    second.message('1-3', { channel: 'a', data: 'three' })
    t.equal(await said.next('ready'), 'ready')
    t.equal(await said.next('the message'), 'three')
    t.equal(
      await page.evaluate(() => {
        const [entry] = performance.getEntriesByType('navigation')
        return JSON.stringify(entry && 'notRestoredReasons' in entry ? entry.notRestoredReasons : undefined)
      }),
      'null',
      'nothing speaks against it',
    )
  })
}

t.test(
  'a page that the browser freezes lets go of its connection, and goes on when it is thawed',
  async t => {
    const visited = await visit(t, { share: 'everybody' })
    const { server, control, said } = visited
    const first = await standing(visited)
    await control.send('Page.setWebLifecycleState', { state: 'frozen' })
    await first.ended
    await control.send('Page.setWebLifecycleState', { state: 'active' })
    const second = await server.streams.next('a second stream')
    t.equal(second.query.get('since'), '1-1')
    second.ready('1-1', ['a'])
    t.equal(await said.next('ready'), 'ready')
  },
)

t.test('a page that goes lets go of its connection, and is not woken by being hidden then', async t => {
  const visited = await visit(t)
  const { server, page, said } = visited
  const first = await standing(visited)
  const lines: string[] = []
  page.on('console', line => lines.push(line.text()))
  await page.evaluate(async () => {
    window.Downpipe.debug = true
    let isHidden = false
    Object.defineProperty(document, 'hidden', { get: () => isHidden, configurable: true })
    window.dispatchEvent(new Event('pagehide'))
    isHidden = true
    document.dispatchEvent(new Event('visibilitychange'))
    // Other than a timer, an answer tells that requests made before were sent.
    for (let count = 0; count < 3; count++) await fetch('/other')
    isHidden = false
  })
  await first.ended
  const streams = () => server.paths.filter(path => path === '/v1/stream').length
  t.equal(streams(), 1)
  await page.evaluate(() => window.dispatchEvent(new Event('pageshow')))
  const second = await server.streams.next('a second stream')
  second.ready('1-1', ['a'])
  t.equal(await said.next('ready'), 'ready')
  t.equal(streams(), 2)
  t.match(lines, ['Downpipe sees pagehide', 'Downpipe sees visibilitychange', 'Downpipe sees pageshow'])
})

t.test(
  'a page that is hidden stays connected, unless it shall not, and then it is until it is shown',
  async t => {
    const stays = await visit(t)
    const pauses = await visit(t, { pauseHidden: 0.005 })
    const [staying, pausing] = await Promise.all([standing(stays), standing(pauses)])
    // The first is behind the second already.
    staying.message('1-2', { channel: 'a', data: 'hidden' })
    t.equal(await stays.said.next('the message'), 'hidden')
    await stays.page.bringToFront()
    await pausing.ended
    t.equal(pauses.server.paths.length, 1)
    await pauses.page.bringToFront()
    const again = await pauses.server.streams.next('a stream')
    t.equal(again.query.get('since'), '1-1')
    t.equal(stays.server.paths.length, 1, 'the other one needed no new connection')
  },
)

t.test('a page that goes offline asks again as soon as it is online', async t => {
  const visited = await visit(t)
  const { server, control, page, said } = visited
  const first = await standing(visited)
  // The browser's own attempt fails, then ours: what comes next waits for up to half a minute.
  await page.evaluate(() => {
    Math.random = () => 1
  })
  const offline = (is: boolean) =>
    control.send('Network.emulateNetworkConditions', {
      offline: is,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    })
  await control.send('Network.enable')
  await offline(true)
  first.cut()
  for (let failed = 0; failed < 3; failed++) t.equal(await said.next('the error'), 'error network')
  const waitsMs = performance.now()
  await offline(false)
  const second = await server.streams.next('a second stream')
  t.ok(performance.now() - waitsMs < 2_000, 'it would wait for 4 s')
  second.ready('1-1', ['a'])
  t.equal(await said.next('ready'), 'ready')
})

t.test('a page that waits as long as the server has said is not hurried', async t => {
  const visited = await visit(t)
  const { server, page } = visited
  const other = await context.newPage()
  t.teardown(() => other.close())
  await page.bringToFront()
  const first = await standing(visited)
  first.frame('close', { reason: 'shutdown', reconnect: true, retryMs: 1_500 })
  await first.ended
  const closedMs = performance.now()
  await other.bringToFront()
  await page.bringToFront()
  await server.streams.next('a second stream')
  t.ok(performance.now() - closedMs > 1_000, 'ten thousand pages must not come at once')
})
