import t from 'tap'
import { startForeignServer } from '../helpers/foreign-server.js'
import { prepareBrowser } from './browser.js'
import { Queue } from './queue.js'

/** Pages that connect by a tag, without a line of JavaScript. */

const visit = await prepareBrowser(t)

const page = (...tags: readonly string[]) => `<!doctype html><title>Declared</title>${tags.join('\n')}`
const script = (src = '/push/downpipe.js', attributes = '') => `<script src="${src}" ${attributes}></script>`
const json = (declared: object | string) => {
  const text = typeof declared === 'string' ? declared : JSON.stringify(declared)
  return `<script type="application/json" id="downpipe">${text}</script>`
}

t.test('JSON above the script connects at once, to where the script came from', async t => {
  const declared = { token: 'a&b', channels: ['x y', 'ü'], grants: ['g1', 'g2'], since: '1-1' }
  const early = '<script>Downpipe.push.on("x y", data => say(data))</script>'
  const { server, said } = await visit(t, { '/early': page(json(declared), script(), early) }, '/early')
  const stream = await server.streams.next('a stream')
  t.strictSame(server.paths, ['/push/v1/stream'])
  t.equal(stream.query.get('token'), 'a&b')
  t.strictSame(stream.query.getAll('channel'), ['x y', 'ü'])
  t.strictSame(stream.query.getAll('grant'), ['g1', 'g2'])
  t.equal(stream.query.get('since'), '1-1')
  stream.ready('1-1', ['x y', 'ü'])
  stream.message('1-2', { channel: 'x y', data: 'two' })
  t.strictSame(await said.next('the message'), ['two'])
  t.equal(server.paths.length, 1)
})

t.test('what is declared below is there for whoever waits for the document', async t => {
  const early =
    '<script>document.addEventListener("DOMContentLoaded", () => say(typeof Downpipe.push.on))</script>'
  const { said } = await visit(t, { '/waits': page(early, script(), json({ channels: ['a'] })) }, '/waits')
  t.strictSame(await said.next('the page'), ['function'])
})

t.test('JSON may stand below the script, whose tag may be gone: it was merged into another', async t => {
  const { server } = await visit(t)
  const html = await (await fetch(`${server.url}/downpipe-html.js`)).text()
  const core = await (await fetch(`${server.url}/downpipe.js`)).text()
  const pages = {
    '/all.js': `var before = 1;${html}${core}`,
    '/merged': page(script('/all.js'), '<p data-downpipe="a">', json({ url: '/push', transport: 'poll' })),
    '/deferred': page(script('/all.js', 'defer'), json({ url: '/push', channels: ['a'] })),
    '/rootless': page(script('/all.js', 'async'), json({ channels: ['a'] })),
  }
  const merged = await visit(t, pages, '/merged')
  const poll = await merged.server.polls.next('a poll')
  t.strictSame(merged.server.paths, ['/push/v1/poll'])
  t.equal(poll.query.get('channel'), '*')
  poll.answer({
    cursor: '1-1',
    messages: [],
    ready: { uid: null, channels: [], heartbeat: 25, v: '1', presence: [] },
  })
  const second = await merged.server.polls.next('a poll')
  t.strictSame(second.query.getAll('channel'), ['*', 'a'], 'for the element')
  const deferred = await visit(t, pages, '/deferred')
  await deferred.server.streams.next('a stream')
  t.strictSame(deferred.server.paths, ['/push/v1/stream'])
  const rootless = await visit(t, pages, '/rootless')
  await rootless.server.streams.next('a stream')
  t.strictSame(rootless.server.paths, ['/v1/stream'], 'without a url and a tag, it is the page’s own root')
})

const attribute = (declared: object) =>
  `data-downpipe-connect="${JSON.stringify(declared).replaceAll('"', '&quot;')}"`

t.test('an attribute of a script tag connects', async t => {
  const attributes = attribute({
    channels: ['a', 'b c'],
    grants: ['g1', 'g2'],
    token: '12345',
    since: 1763762400000,
    transport: 'poll',
  })
  const pages = {
    '/attributes': page(script('/push/downpipe.js?v=1/2', attributes)),
    '/moved': page(script('/downpipe.js'), script('/x.js', attribute({ url: '/sites/blog' }))),
    '/both': page(json({ url: '/json' }), script('/push/downpipe.js', 'data-downpipe-connect')),
    '/renamed': page(script('/a/downpipe.js?copy', attribute({ channels: [] }))),
  }
  const { server } = await visit(t, pages, '/attributes')
  const poll = await server.polls.next('a poll')
  t.strictSame(server.paths, ['/push/v1/poll'])
  t.strictSame(poll.query.getAll('channel'), ['a', 'b c'])
  t.strictSame(poll.query.getAll('grant'), ['g1', 'g2'])
  t.equal(poll.query.get('token'), '12345')
  t.equal(poll.query.get('since'), '1763762400000')
  for (const [path, expected] of [
    ['/moved', '/sites/blog/v1/stream'],
    ['/both', '/json/v1/stream'],
    ['/renamed', '/a/v1/stream'],
  ] as const) {
    const { server } = await visit(t, pages, path)
    const stream = await server.streams.next('a stream')
    t.strictSame(server.paths, [expected])
    t.strictSame(stream.query.getAll('channel'), ['*'])
  }
})

t.test('options that are no text are what they look like', async t => {
  const spy =
    '<script>EventSource = function (url, options) { say(url, options); this.addEventListener = say }</script>'
  const attributes = (credentials: boolean) => attribute({ credentials })
  const pages = {
    '/true': page(spy, script(undefined, attributes(true))),
    '/false': page(spy, script(undefined, attributes(false))),
    '/json': page(spy, json({ credentials: true, since: 0 }), script()),
  }
  const yes = await visit(t, pages, '/true')
  t.match(await yes.said.next('a stream'), [/stream/, { withCredentials: true }])
  const no = await visit(t, pages, '/false')
  t.match(await no.said.next('a stream'), [/stream/, { withCredentials: false }])
  const both = await visit(t, pages, '/json')
  t.match(await both.said.next('a stream'), [/since=0$/, { withCredentials: true }])
})

t.test('a declared session is asked for, and a share key shares', async t => {
  const spy = `<script>
    const { BroadcastChannel: Original } = window
    BroadcastChannel = class extends Original { constructor(name) { say('shares'); super(name) } }
  </script>`
  const session = '{"token":"t1","since":"1-5","channels":["a"],"grants":["g"]}'
  const connect = (share: string | false) => page(spy, script(undefined, attribute({ token: 't', share })))
  const pages = {
    '/who': session,
    '/session': page(script(undefined, attribute({ session: '/who' }))),
    '/shared': connect('key'),
    '/alone': connect(false),
  }
  const { server } = await visit(t, pages, '/session')
  const { query } = await server.streams.next('a stream')
  t.equal(query.toString(), 'token=t1&channel=a&grant=g&since=1-5')
  const alone = await visit(t, pages, '/alone')
  await alone.server.streams.next('a stream')
  const shared = await visit(t, pages, '/shared')
  t.strictSame(await shared.said.next('a channel'), ['shares'])
  t.strictSame(alone.said.rest, [])
})

t.test('what is not JSON is said once, without its text, and the page goes on', async t => {
  const bad = json('{"token": "s3cret", channels}')
  const pages = {
    '/above': page(bad, script(), '<script>say("goes on", typeof Downpipe.connect, Downpipe.push)</script>'),
    '/below': page(script(undefined, 'defer'), bad),
    '/async': page(script(undefined, 'async'), bad),
    '/empty': page(json(''), script()),
    '/attribute': page(script(undefined, 'data-downpipe-connect="{"')),
  }
  for (const path of Object.keys(pages)) {
    const { server, console, uncaught, said } = await visit(t, pages, path)
    if (path === '/above') t.strictSame(await said.next('the page'), ['goes on', 'function', null])
    const expected = ['Downpipe: not JSON']
    t.strictSame(console, expected, path)
    t.strictSame(uncaught.rest, [], path)
    t.strictSame(server.paths, [], path)
  }
})

t.test('nothing connects that is not declared, nor does the module, nor a second copy', async t => {
  const id = '<div id="downpipe">{"url":"/div"}</div>'
  const module = '<script type="module">import { connect } from "/downpipe.mjs"; say(typeof connect)</script>'
  const pages = {
    '/undeclared': page(id, script(), '<script>say(typeof Downpipe.push)</script>'),
    '/null': page(json('null'), script(), '<script>say(typeof Downpipe.push)</script>'),
    '/module': page(json({ channels: ['a'] }), module),
    '/copies': page(
      script(),
      json({ channels: ['a'] }),
      script('/other/downpipe.js'),
      '<script>first = Downpipe.push</script>',
      script('/third/downpipe.js'),
      '<script>say(first === Downpipe.push)</script>',
    ),
  }
  for (const [path, expected] of [
    ['/undeclared', 'undefined'],
    ['/null', 'undefined'],
    ['/module', 'function'],
  ] as const) {
    const { server, said, page, console } = await visit(t, pages, path)
    t.strictSame(await said.next('the page'), [expected])
    t.strictSame(console, [], path)
    // The hurried timers of everything that came before have run by then.
    await page.evaluate(() => new Promise(resolve => setTimeout(resolve)))
    t.strictSame(server.paths, [], path)
  }
  const { server, said } = await visit(t, pages, '/copies')
  t.strictSame(await said.next('the page'), [true])
  await server.streams.next('a stream')
  t.strictSame(server.paths, ['/push/v1/stream'])
})

t.test('an async script that finds half the JSON waits for the rest', async t => {
  const { server, page: tab, console, uncaught } = await visit(t)
  const core = await (await fetch(`${server.url}/downpipe.js`)).text()
  const asked = new Queue<string>()
  const [head = '', tail = ''] = page(
    '<script src="/downpipe.js" async onload="fetch(\'/loaded\')"></script>',
    json({ channels: ['a'], x: '|'.repeat(2) }),
  ).split('||')
  let finish = () => {}
  const url = await startForeignServer(t, (request, response) => {
    if (request.url === '/') {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.write(head)
      finish = () => response.end(tail)
    } else if (request.url === '/downpipe.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(core)
    } else if (request.url === '/favicon.ico') {
      response.writeHead(204).end()
    } else {
      if (request.url === '/loaded') finish()
      asked.push(request.url ?? '')
    }
  })
  await tab.goto(url, { waitUntil: 'commit' })
  t.equal(await asked.next('the script'), '/loaded')
  t.equal(await asked.next('a stream'), '/v1/stream?channel=a')
  t.strictSame([...console, ...uncaught.rest], [])
})
