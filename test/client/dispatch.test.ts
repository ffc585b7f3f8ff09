import t from 'tap'
import { prepareBrowser } from './browser.js'

const visit = await prepareBrowser(t)

t.test('a message runs the listeners of its channel with its data and itself, in their order', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('')
    push.on('news', (data, message) => window.say('first', data, message))
    push.on('news', data => window.say('second', data))
    push.on('other', data => window.say('other', data))
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['news', 'other'])
  stream.message('1-2', { channel: 'news', data: { title: 'Ä' }, type: 'note' })
  stream.message('1-3', { channel: 'other', data: null })
  const message = { channel: 'news', data: { title: 'Ä' }, type: 'note', id: '1-2' }
  t.strictSame(await said.next('the first listener'), ['first', { title: 'Ä' }, message])
  t.strictSame(await said.next('the second listener'), ['second', { title: 'Ä' }])
  t.strictSame(await said.next('the other channel'), ['other', null])
})

t.test('a message to several channels runs each listener once', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('')
    const both = () => window.say('both')
    push.on('a', both)
    push.on('b', both)
    push.on('b', () => window.say('only b'))
    push.on('c', () => window.say('c'))
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a', 'b', 'c'])
  stream.message('1-2', { channels: ['a', 'b'], data: 1 })
  stream.message('1-3', { channel: 'c', data: 1 })
  t.strictSame(await said.next('both'), ['both'])
  t.strictSame(await said.next('b'), ['only b'])
  t.strictSame(await said.next('c'), ['c'])
})

t.test('a message that names callbacks runs only those, and onmessage', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', { onmessage: data => window.say('onmessage', data) })
    push.on('a', data => window.say('channel', data))
    push.callback('one', data => window.say('one', data))
    push.callback('two', data => window.say('two', data))
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a'])
  stream.message('1-2', { channel: 'a', data: 1, callback: 'one' })
  stream.message('1-3', { channel: 'a', data: 2, callback: ['two', 'one', 'unknown'] })
  stream.message('1-4', { channel: 'a', data: 3 })
  const order = [
    ['onmessage', 1],
    ['one', 1],
    ['onmessage', 2],
    ['one', 2],
    ['two', 2],
    ['onmessage', 3],
    ['channel', 3],
  ]
  for (const expected of order) t.strictSame(await said.next(String(expected)), expected)
})

t.test('messages without a channel, and presence, come to onmessage; presence has no id', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onmessage: (_, message) => window.say(message) })
  })
  const stream = await server.streams.next('a stream')
  const presence = { type: 'presence', data: { uid: '7', event: 'online' } }
  stream.ready('1-1', [])
  stream.frame('', presence)
  stream.message('1-2', { data: 'to you' })
  stream.frame('', presence)
  t.strictSame(await said.next('presence'), [presence])
  t.strictSame(await said.next('the message'), [{ data: 'to you', id: '1-2' }])
  t.strictSame(await said.next('presence'), [presence])
})

t.test('onpresence gets who comes and goes, and nothing that was published under that name', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', {
      onready: ready => window.say('ready', ready.presence),
      onpresence: presence => window.say('presence', presence),
    })
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', [], { presence: ['7'] })
  stream.frame('', { type: 'presence', data: { uid: '8', event: 'online' } })
  stream.message('1-2', { type: 'presence', data: { uid: '9', event: 'online' } })
  stream.frame('', { type: 'presence', data: { uid: '7', event: 'offline' } })
  t.strictSame(await said.next('ready'), ['ready', ['7']])
  t.strictSame(await said.next('the first'), ['presence', { uid: '8', event: 'online' }])
  t.strictSame(await said.next('the second'), ['presence', { uid: '7', event: 'offline' }])
})

t.test('a message that excepts this page view is dropped, and the next is not', async t => {
  const { server, page, said } = await visit(t)
  const id = await page.evaluate(() => {
    const push = window.Downpipe.connect('', { onmessage: data => window.say('onmessage', data) })
    push.on('a', data => window.say(data))
    const other = window.Downpipe.connect('/other')
    other.close()
    window.say(push.page === other.page)
    return push.page
  })
  t.match(id, /^[0-9]+$/)
  t.strictSame(await said.next('the comparison'), [true], 'one id for all connections of a page view')
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a'])
  stream.message('1-2', { channel: 'a', data: 'own', except: id })
  stream.message('1-3', { channel: 'a', data: 'else', except: `${id}x` })
  t.strictSame(await said.next('the message'), ['onmessage', 'else'])
  t.strictSame(await said.next('the message'), ['else'])
})

t.test('off removes one listener, or all of a channel', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('')
    const first = () => window.say('first')
    push.on('a', first)
    push.on('a', () => window.say('second'))
    push.on('b', first)
    push.on('b', () => window.say('b'))
    push.on('step', data => {
      if (data === 1) push.off('a', first)
      else push.off('b')
      window.say('step', data)
    })
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a', 'b', 'step'])
  stream.message('1-2', { channel: 'step', data: 1 })
  stream.message('1-3', { channels: ['a'], data: 0 })
  stream.message('1-4', { channel: 'step', data: 2 })
  stream.message('1-5', { channels: ['a', 'b'], data: 0 })
  stream.message('1-6', { channel: 'step', data: 3 })
  for (const expected of [['step', 1], ['second'], ['step', 2], ['second'], ['step', 3]]) {
    t.strictSame(await said.next(String(expected)), expected)
  }
})

t.test('an exception in a listener stops no other, and shows up as uncaught', async t => {
  const { server, page, said, uncaught, console } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('', {
      onready() {
        throw new Error('in onready')
      },
      onmessage() {
        throw new Error('in onmessage')
      },
    })
    push.on('a', () => {
      throw new Error('in a listener')
    })
    push.on('a', data => window.say(data))
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['a'])
  stream.message('1-2', { channel: 'a', data: 1 })
  stream.message('1-3', { channel: 'a', data: 2 })
  t.strictSame(await said.next('the first message'), [1])
  t.strictSame(await said.next('the second message'), [2])
  t.equal(await uncaught.next('the first exception'), 'in onready')
  t.equal(await uncaught.next('the second exception'), 'in onmessage')
  t.equal(await uncaught.next('the third exception'), 'in a listener')
  t.strictSame(console, [], 'nothing else is on the console')
})

t.test('names that objects have by nature are channels and callbacks like others', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    const push = window.Downpipe.connect('')
    push.on('__proto__', data => window.say('__proto__', data))
    push.callback('constructor', data => window.say('constructor', data))
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', ['__proto__'])
  stream.message('1-2', { channel: 'toString', data: 0 })
  stream.message('1-3', { channel: '__proto__', data: 1 })
  stream.message('1-4', { callback: 'valueOf', data: 0 })
  stream.message('1-5', { callback: 'constructor', data: 2 })
  t.strictSame(await said.next('the channel'), ['__proto__', 1])
  t.strictSame(await said.next('the callback'), ['constructor', 2])
})

t.test('nasty payloads arrive as they were sent', async t => {
  const { server, page, said } = await visit(t)
  await page.evaluate(() => {
    window.Downpipe.connect('', { onmessage: data => window.say(data) })
  })
  const stream = await server.streams.next('a stream')
  stream.ready('1-1', [])
  const payloads = [
    '',
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\u2028',
    '🙂',
    '\ufeffx',
    'data: x',
    null,
    0,
    false,
    [],
    {},
  ]
  payloads.push('x'.repeat(2 ** 20))
  payloads.forEach((data, index) => {
    stream.message(`2-${index + 2}`, { data })
  })
  for (const data of payloads) t.strictSame(await said.next(JSON.stringify(data).slice(0, 20)), [data])
})
