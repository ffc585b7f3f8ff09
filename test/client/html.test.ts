import t from 'tap'
import type { Update, UpdateDetail } from '../../src/client/update.js'
import { connected } from '../helpers/calls.js'
import { startTestServer } from '../helpers/server.js'
import { prepareBrowser, type Visit } from './browser.js'
import type { Call } from './fake-server.js'
import { agePage, tellUpdates } from './old-browser.js'

/** Elements that take HTML by messages, without a line of JavaScript in the page. */

const visit = await prepareBrowser(t)

const page = (body: string, head = '') => `<!doctype html><title>HTML</title>${head}
<body>${body}<script src="/downpipe-html.js"></script>
<script src="/downpipe.js" data-downpipe-connect></script>`

/** Sends messages of type `html`, each with an id of its own. */
function sender(stream: Call) {
  let id = 1
  return (data: Partial<Update> | null | string, more: object = { channel: 'a' }) => {
    stream.message(`1-${++id}`, { ...more, type: 'html', data })
  }
}

/** Visits a page and lets its subscription stand, with the channels of all the elements that these tests have. */
async function start(t: Parameters<typeof visit>[0], body: string, head = '') {
  const visited = await visit(t, { '/html': page(body, head) }, '/html')
  const first = await visited.server.streams.next('a stream')
  first.ready('1-1', ['a', 'b', 'c'])
  return { ...visited, stream: first, send: sender(first) }
}

/** Says at each update what the page is then. */
async function listen({ page }: Pick<Visit, 'page'>): Promise<void> {
  await page.evaluate(() => {
    document.addEventListener('downpipe:update', event => {
      const { target } = event
      if (!(event instanceof CustomEvent) || !(target instanceof Element)) return
      const { message, element }: UpdateDetail = event.detail
      window.say(
        document.body.innerHTML.replace(/<script[\s\S]*/, ''),
        message.id,
        element.id,
        target.nodeName,
        target.id,
      )
    })
  })
}

t.test('an element takes HTML: in place of its content or a part of it, before, behind, away', async t => {
  const visited = await start(t, '<ul id="e" data-downpipe="a"><li class="x">1<li>2</li></ul>')
  const { said, send } = visited
  await listen(visited)
  const expect = async (html: string) => {
    const [body, , element, target] = await said.next('the update')
    t.equal(body, `<ul id="e" data-downpipe="a">${html}</ul>`)
    t.strictSame([element, target], ['e', 'UL'])
  }
  send({ action: 'append', html: '<li>3</li>' })
  await expect('<li class="x">1</li><li>2</li><li>3</li>')
  send({ action: 'prepend', html: '<li>0' })
  await expect('<li>0</li><li class="x">1</li><li>2</li><li>3</li>')
  send({ action: 'append', html: '<b>!</b>', selector: '.x' })
  await expect('<li>0</li><li class="x">1<b>!</b></li><li>2</li><li>3</li>')
  send({ action: 'prepend', html: '¡', selector: 'li.x' })
  await expect('<li>0</li><li class="x">¡1<b>!</b></li><li>2</li><li>3</li>')
  send({ action: 'replace', html: '<li>one</li><li>more</li>', selector: '.x' })
  await expect('<li>0</li><li>one</li><li>more</li><li>2</li><li>3</li>')
  send({ action: 'remove', selector: ':scope > li' })
  await expect('<li>one</li><li>more</li><li>2</li><li>3</li>')
  send({ action: 'remove', selector: 'li' })
  await expect('<li>more</li><li>2</li><li>3</li>')
  send({ action: 'replace', html: '<li data-x="&lt;">new</li>' })
  await expect('<li data-x="<">new</li>'.replace('<"', '&lt;"'))
  send({ action: 'replace', html: '' })
  await expect('')
})

t.test('an element that is removed says so where it was, and its channel is given up', async t => {
  const body = '<div id="list"><p id="e" data-downpipe="a">1</p><p id="f" data-downpipe="b">2</p></div>'
  const visited = await start(t, body)
  const { server, said, send, stream } = visited
  await listen(visited)
  send({ action: 'remove' })
  const [html, id, element, target, targetId] = await said.next('the update')
  t.equal(html, '<div id="list"><p id="f" data-downpipe="b">2</p></div>')
  t.strictSame([id, element, target, targetId], ['1-2', 'e', 'DIV', 'list'])
  stream.frame('close', { reason: 'age', reconnect: true, retryMs: 1 })
  const second = await server.streams.next('a second stream')
  t.equal(second.query.get('since'), '1-2')
})

t.test('a selector finds what is inside of the element, and nothing else', async t => {
  const visited = await start(
    t,
    '<b class="x">out</b><main><p id="e" data-downpipe="a" class="x"><i class="y">in</i></p></main><b class="y">out</b>',
  )
  const { page, said, send } = visited
  await listen(visited)
  const before = await page.evaluate(() => document.body.innerHTML.replace(/<script[\s\S]*/, ''))
  for (const selector of ['.x', '#e', 'body > .y', 'p', 'main']) send({ action: 'remove', selector })
  send({ action: 'append', html: '!', selector: 'body main > p > .y' })
  const [html] = await said.next('the update')
  t.equal(html, before.replace('>in<', '>in!<'))
})

t.test('a message comes to each element of its channels once, and other messages to none', async t => {
  const visited = await start(
    t,
    '<p data-downpipe="a"></p><p data-downpipe="b"></p><p data-downpipe="a"></p><p data-downpipe="c"></p><p data-downpipe=""></p>',
  )
  const { said, page, stream } = visited
  await page.evaluate(() => window.Downpipe.push?.on('c', (data, { type }) => window.say(data, type)))
  const update: Update = { action: 'append', html: 'x' }
  stream.message('1-2', { channel: 'a', data: update })
  stream.message('1-3', { channel: 'a', type: 'note', data: update })
  stream.message('1-4', { channel: 'a', type: 'html', data: update, callback: 'nobody' })
  stream.message('1-5', { channel: 'd', type: 'html', data: update })
  stream.message('1-6', { type: 'html', data: update })
  stream.message('1-7', { channels: ['b', 'a'], type: 'html', data: update })
  stream.message('1-8', { channel: 'c', type: 'note', data: 'end' })
  t.strictSame(await said.next('the end'), ['end', 'note'])
  const texts = await page.evaluate(() => [...document.querySelectorAll('p')].map(p => p.textContent?.trim()))
  t.strictSame(texts, ['x', 'x', 'x', '', ''])
})

t.test('what cannot be done changes nothing and throws nothing; debugging says so', async t => {
  const visited = await start(t, '<div data-downpipe="a"><p>1</p></div>')
  const { page, said, send, console, uncaught } = visited
  await listen(visited)
  const nonsense: readonly (object | null | string)[] = [
    null,
    'replace',
    {},
    { html: 'x' },
    { action: 'replace' },
    { action: 'append', html: null },
    { action: 'explode', html: 'x' },
    { action: 'constructor', html: 'x' },
    { action: 'remove', selector: 'b' },
    { action: 'append', html: 'x', selector: 'p >' },
  ]
  const sendAll = async (last: string) => {
    for (const data of nonsense) send(data)
    send({ action: 'replace', html: last, selector: 'p' })
    const [html] = await said.next('the update')
    t.equal(html, `<div data-downpipe="a">${last}</div>`)
  }
  await sendAll('<p>2</p>')
  t.strictSame(console, [], 'in silence')
  await page.evaluate(() => {
    window.Downpipe.debug = true
  })
  await sendAll('<p>3</p>')
  t.equal(console.filter(line => line.startsWith('Downpipe does nothing')).length, nonsense.length)
  t.strictSame(uncaught.rest, [])
})

t.test('elements that come later subscribe, from where the page is; those that go give up', async t => {
  const { page, said, send, stream, server } = await start(t, '<div data-downpipe="a"></div><p></p>')
  send({ action: 'append', html: '<b data-downpipe="x">-</b>' })
  const second = await server.streams.next('a stream for the element that a message brought')
  await stream.ended
  t.strictSame(second.query.getAll('channel'), ['*', 'x'])
  t.equal(second.query.get('since'), '1-2')
  second.ready('1-2', ['a', 'b', 'c', 'x'])
  second.message('1-3', { channel: 'x', type: 'html', data: { action: 'append', html: 'b' } })
  await page.waitForFunction(() => document.querySelector('b')?.textContent === '-b')

  await page.evaluate(() => document.querySelector('p')?.setAttribute('data-downpipe', 'y'))
  const third = await server.streams.next('a stream for the attribute that the page has set')
  t.strictSame(third.query.getAll('channel'), ['*', 'x', 'y'])
  third.ready('1-3', ['a', 'b', 'c', 'x', 'y'])

  await page.evaluate(() => {
    const gone = document.querySelector('b')
    gone?.remove()
    document.querySelector('p')?.insertAdjacentHTML('afterend', '<i data-downpipe="z"></i>')
    // Nothing is told to an element that is not there.
    window.Downpipe.push?.on('x', () => window.say(gone?.textContent))
  })
  const fourth = await server.streams.next('a stream for the element that the page has added')
  t.strictSame(fourth.query.getAll('channel').sort(), ['*', 'x', 'y', 'z'])
  fourth.ready('1-3', ['a', 'b', 'c', 'x', 'y', 'z'])
  fourth.message('1-4', { channel: 'x', type: 'html', data: { action: 'append', html: '?' } })
  t.strictSame(await said.next('the message'), ['-b'])

  await page.evaluate(() => {
    window.Downpipe.push?.off('x')
    for (const element of document.querySelectorAll('p, i')) element.remove()
  })
  // Until the page has been looked through again.
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve)))
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve)))
  fourth.frame('close', { reason: 'age', reconnect: true, retryMs: 1 })
  const fifth = await server.streams.next('a fifth stream')
  t.strictSame(fifth.query.getAll('channel'), ['*'])
})

t.test('scripts in the HTML do not run; handlers do, if the page’s policy lets them', async t => {
  const html = '<script>say("script")</script><img src="data:," onerror="say(document.title)">'
  const free = await start(t, '<p data-downpipe="a"></p>')
  free.send({ action: 'replace', html })
  t.strictSame(await free.said.next('the handler'), ['HTML'])
  t.equal(await free.page.evaluate(() => document.querySelector('p')?.innerHTML), html)
  const policy = `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">`
  const strict = await start(t, '<p data-downpipe="a"></p>', policy)
  await strict.page.evaluate(() => {
    document.addEventListener('securitypolicyviolation', event => window.say(event.effectiveDirective))
  })
  strict.send({ action: 'replace', html })
  t.strictSame(await strict.said.next('the violation'), ['script-src-attr'])
  t.strictSame([...free.said.rest, ...strict.said.rest], [])
})

t.test('under Trusted Types the HTML goes through the policy downpipe, or nowhere', async t => {
  const header = (names: string) =>
    `<meta http-equiv="Content-Security-Policy" content="require-trusted-types-for 'script'; trusted-types ${names}">`
  const named = await start(t, '<p data-downpipe="a"></p>', header('downpipe'))
  await listen(named)
  for (const action of ['append', 'prepend', 'replace'] as const) {
    named.send({ action, html: `<b>${action}</b>` })
    const [html] = await named.said.next('the update')
    t.match(html, `<b>${action}</b>`)
  }
  named.send({ action: 'replace', html: '<i>part</i>', selector: 'b' })
  t.strictSame((await named.said.next('the update'))[0], '<p data-downpipe="a"><i>part</i></p>')
  t.strictSame(named.console, [])

  const unnamed = await start(t, '<p data-downpipe="a">1</p>', header('else'))
  await unnamed.page.evaluate(() => {
    window.Downpipe.debug = true
  })
  await listen(unnamed)
  unnamed.send({ action: 'append', html: '2' })
  unnamed.send({ action: 'remove' })
  t.strictSame((await unnamed.said.next('the update'))[0], '')
  t.match(unnamed.console.join('\n'), /Downpipe does nothing for .*TrustedHTML/)
  t.strictSame(unnamed.uncaught.rest, [])
})

t.test('a connection may be given, and a part of the page; the scripts come in any order', async t => {
  const parts = '<main><p id="e" data-downpipe="a"></p></main><p id="f" data-downpipe="b"></p>'
  const pages = {
    '/given': `<script src="/downpipe-html.js"></script><script src="/downpipe.js"></script>${parts}`,
    '/module': `${parts}<script src="/downpipe-html.js"></script><script type="module">
      import { connect } from '/downpipe.mjs'
      Downpipe.html(connect(''), document.querySelector('main'))</script>`,
    '/first': `<script src="/downpipe-html.js"></script><script src="/downpipe-html.js"></script>
      <script src="/downpipe.js" data-downpipe-connect></script>${parts}`,
  }
  for (const [path, expected] of [
    ['/given', ['a']],
    ['/module', ['a']],
    ['/first', ['a', 'b']],
  ] as const) {
    const visited = await visit(t, pages, path)
    const { server, page, said } = visited
    if (path === '/given') {
      await page.evaluate(() => {
        const push = window.Downpipe.connect('')
        const main = document.querySelector('main')
        if (main) window.Downpipe.html?.(push, main)
      })
    }
    let stream = await server.streams.next('a stream')
    stream.ready('1-1', [])
    // The elements may have come behind the first request.
    stream = await server.streams.next('a stream')
    t.strictSame(stream.query.getAll('channel'), ['*', ...expected], path)
    await listen(visited)
    stream.ready('1-1', ['a', 'b'])
    sender(stream)({ action: 'append', html: '!' }, { channels: ['a', 'b'] })
    for (const channel of expected) {
      t.match(await said.next('the update'), [/!<\/p>/, '1-2', channel === 'a' ? 'e' : 'f'], path)
    }
    t.equal(
      await page.evaluate(() => document.body.textContent?.replace(/[^!]/g, '').length),
      expected.length,
    )
    t.strictSame(said.rest, [])
  }
})

for (const { name, head, observes } of [
  { name: 'an old browser', head: agePage, observes: true },
  {
    name: 'a browser without MutationObserver',
    head: `${agePage}<script>delete MutationObserver</script>`,
    observes: false,
  },
]) {
  t.test(`${name} takes HTML, too`, async t => {
    const old = page('<p data-downpipe="a"></p>', head + tellUpdates)
    const { server, uncaught } = await visit(t, { '/old': old }, '/old')
    const ready = { uid: null, channels: ['a'], heartbeat: 25, v: 'v1', presence: [], refused: [] }
    const html = (id: string, data: Update) => ({ id, channel: 'a', type: 'html', data })
    const first = await server.polls.next('a poll')
    const brought = html('1-2', { action: 'append', html: '<b data-downpipe="b">1</b>' })
    first.answer({ cursor: '1-2', ready, messages: [brought] })
    t.equal(await server.said.next('the update'), '1-2 <b data-downpipe="b">1</b>')
    const second = await server.polls.next('a poll')
    t.strictSame(second.query.getAll('channel'), ['*', 'b'])
    const parts = [
      html('1-3', { action: 'prepend', html: '<i></i>' }),
      html('1-4', { action: 'replace', html: '<u></u>', selector: 'i' }),
      html('1-5', { action: 'remove', selector: 'b' }),
    ]
    second.answer({ cursor: '1-5', ready: { ...ready, channels: ['a', 'b'], v: 'v2' }, messages: parts })
    t.equal(await server.said.next('the update'), '1-3 <i></i><b data-downpipe="b">1</b>')
    t.equal(await server.said.next('the update'), '1-4 <u></u><b data-downpipe="b">1</b>')
    t.equal(await server.said.next('the update'), '1-5 <u></u>')
    const third = await server.polls.next('a poll')
    if (observes) {
      await third.ended
      const fourth = await server.polls.next('a poll')
      t.strictSame(fourth.query.getAll('channel'), ['*', 'late'], 'the page has added an element')
    }
    t.strictSame(uncaught.rest, [])
  })
}

t.test('what a CMS publishes comes out of a real server’s scripts', async t => {
  const server = await startTestServer({ anonymousChannels: ['node_*'] })
  t.teardown(() => server.close())
  const { page: tab } = await visit(t)
  const declared = JSON.stringify({ channels: ['*', 'node_1'] })
  const body = `<!doctype html><title>Real</title><body><script type="application/json" id="downpipe">${declared}</script>
    <main data-downpipe="node_1"><ul></ul></main>
    <script src="../downpipe-html.js" async></script><script src="../downpipe.js" async></script>`
  await tab.route('**/pages/1', route => route.fulfill({ contentType: 'text/html', body }))
  await tab.goto(`${server.url}/pages/1`)
  const appearance = (selector: string) => tab.waitForSelector(selector)
  await tab.waitForFunction(() => window.Downpipe?.push && window.Downpipe.html)
  const publish = (data: Update, channel: string) => server.post('/publish', { channel, type: 'html', data })
  const html = '<li data-downpipe="node_2">two</li>'
  await connected(server, 1)
  await publish({ action: 'append', selector: 'ul', html }, 'node_1')
  await appearance('li')
  await publish({ action: 'replace', html: '<b>three</b>' }, 'node_2')
  await appearance('main li b')
  t.match(await tab.innerHTML('main'), '<ul><li data-downpipe="node_2"><b>three</b></li></ul>')
})
