import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import t from 'tap'
import { connect as connectCore } from '../../src/client/core.js'
import { connect, type PageOptions, type Push } from '../../src/client/index.js'
import { startTestServer } from '../helpers/server.js'
import { buildScripts } from './browser.js'

const folder = t.testdir()
await buildScripts(folder)
const classic = await readFile(join(folder, 'downpipe.js'), 'utf8')
const html = await readFile(join(folder, 'downpipe-html.js'), 'utf8')
const module = await readFile(join(folder, 'downpipe.mjs'), 'utf8')
const core = await readFile(join(folder, 'downpipe-core.mjs'), 'utf8')

t.test('the classic scripts are ES5', async t => {
  t.doesNotThrow(() => parse(classic, { ecmaVersion: 5, sourceType: 'script' }))
  t.doesNotThrow(() => parse(html, { ecmaVersion: 5, sourceType: 'script' }))
  t.throws(() => parse('const a = 1', { ecmaVersion: 5, sourceType: 'script' }), 'the check can fail')
})

t.test('squeezed, a script compresses better and does the same', async t => {
  const module = await import(new URL('../../src/client/squeeze.mjs', import.meta.url).href)
  const squeeze = (code: string, tries: number): string => module.squeeze(code, module.search(code, tries))
  const scopes =
    'var a=1,n=function(b,e){try{if(b>2)throw e;return n?b:a}catch(t){var o=[t,e];return function r(c){return c?r(c-1):o.concat(a)}(b)}};n.length'
  // What is put in another order here must not be: each part counts the calls before it.
  const order =
    'var x=function(l,i){function b(p){return m(p)+l}function m(q){return q*i}var f,d=2,u={},s=function(){return++u.k},k=(u.k=1,s()),w=s()-k,h={z:d,y:l.v,x:s(),w:s(),v:{s:i,t:d}};return JSON.stringify([b(3),f,k,w,h.x,h.w,h.v.s,h.z,Object.keys(h).sort()])};x.length'
  const doubles =
    'var x=function(l,i){var o=[],a=+{valueOf:function(){return o.push(l)}},b=+{valueOf:function(){return o.push(i)}};function f(){return 1}function f(){return 2}return o.join()+f()+a+b};x.length'
  const functions = Array.from({ length: 40 }, (_, index) => `function f${index}(p){return ${index}*p}`)
  const many = `var x=function(l,i){${functions.join('')}return f39(l)+f7(i)};x.length`
  for (const code of [scopes, order, doubles, many]) {
    const squeezed = squeeze(code, 2_000)
    t.equal(squeezed, squeeze(code, 2_000), 'the same each time')
    t.ok(gzipSync(squeezed).length < gzipSync(code).length, squeezed)
    for (const call of ['(3, 5)', '(2, 7)']) {
      const run = (script: string) => {
        // The function's own name may be another now.
        const calls = script.replace(/(\w+)\.length$/, `String($1${call})`)
        return String(runInContext(calls, createContext({})))
      }
      t.equal(run(squeezed), run(code), call)
    }
  }
  const nameless = (code: string) => code.replace(/\b[a-z]\b/gi, '_')
  t.not(nameless(squeeze(order, 2_000)), nameless(order), 'not only the names are others')
  t.throws(() => squeeze('var a="ä"', 1), /more than ASCII/)
})

t.test('with everything it is small, whoever compresses it', async t => {
  const { stdout } = await promisify(execFile)('gzip', ['-9nc', join(folder, 'downpipe.js')], {
    encoding: 'buffer',
  })
  t.ok(stdout.length <= 3400, `${stdout.length} bytes`)
})

t.test('the classic scripts define Downpipe, and no other global', async t => {
  for (const scripts of [[classic], [html], [classic, html], [html, classic]]) {
    const window: Record<string, unknown> = {}
    window.window = window
    window.location = { search: '' }
    window.document = { readyState: 'complete', querySelector: () => null, addEventListener() {} }
    const before = createContext(window)
    for (const script of scripts) runInContext(script, before)
    t.strictSame(Object.keys(window).sort(), ['Downpipe', 'document', 'location', 'window'])
  }
})

for (const [name, code] of Object.entries({ 'downpipe.mjs': module, 'downpipe-core.mjs': core })) {
  t.test(`${name} is ES2018, exports connect, and may be loaded where there is no page`, async t => {
    t.doesNotThrow(() => parse(code, { ecmaVersion: 2018, sourceType: 'module' }))
    const exports = await import(join(folder, name))
    t.strictSame(Object.keys(exports), ['connect'])
  })
}

t.test('the core is without what it says it is without', async t => {
  for (const word of ['BroadcastChannel', 'pagehide', 'downpipe:gap', 'console']) {
    t.ok(module.includes(word), word)
    t.notOk(core.includes(word), word)
  }
})

t.test('channels may be typed, and listeners then know their data', async t => {
  interface Channels {
    readonly news: { readonly title: string }
    readonly count: number
  }
  // Only checked by the compiler: there is no page here.
  const use = (options: PageOptions): Push<Channels> => {
    const push = connect<Channels>('', options)
    push.on('news', (data, message) => data.title + message.data.title + message.id)
    push.on('count', data => data.toFixed())
    // @ts-expect-error: there is no such channel
    push.on('nothing', () => {})
    // @ts-expect-error: the data is not a string
    push.on('count', (data: string) => data)
    connect('', { token: async () => 'x' }).on('any', (data: unknown) => data)
    // @ts-expect-error: the core knows no sessions
    connectCore('', { session: '/session' })
    return push
  }
  t.type(use, 'function')
})

t.test('the server sends the scripts compressed, as the browser takes them', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const ask = (name: string, accepted: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${server.url}/${name}`, { headers: { 'accept-encoding': accepted } }, resolve).on('error', reject)
    })
  for (const name of ['downpipe.js', 'downpipe-html.js', 'downpipe.mjs', 'downpipe-core.mjs']) {
    const whole = await buffer(await ask(name, 'identity'))
    for (const [accepted, encoding, decompress] of [
      ['gzip, deflate', 'gzip', gunzipSync],
      ['gzip, deflate, br', 'br', brotliDecompressSync],
    ] as const) {
      const answer = await ask(name, accepted)
      t.match(answer.headers, {
        'content-encoding': encoding,
        'content-type': /^text\/javascript/,
        'cache-control': 'public, max-age=3600',
        vary: /accept-encoding/i,
      })
      const sent = await buffer(answer)
      t.ok(sent.length < 0.6 * whole.length, `${name} is ${sent.length} bytes as ${encoding}`)
      t.strictSame(decompress(sent), whole)
    }
  }
})
