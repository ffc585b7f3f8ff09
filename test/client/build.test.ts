import { readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
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

t.test('variables get names that compress better, and mean what they meant', async t => {
  const { renameVariables } = await import(new URL('../../src/client/short-names.mjs', import.meta.url).href)
  const code =
    'var a=1,n=function(b,e){try{if(b>2)throw e;return n?b:a}catch(t){var o=[t,e];return function r(c){return c?r(c-1):o.concat(a)}(b)}};n.length'
  const renamed = renameVariables(code, 2_000)
  t.equal(renamed, renameVariables(code, 2_000), 'the same each time')
  t.not(renamed, code)
  t.ok(gzipSync(renamed).length < gzipSync(code).length)
  for (const call of ['(3, 5)', '(2, 7)']) {
    const run = (script: string) => {
      // The function's own name may be another now.
      const calls = script.replace(/(\w+)\.length$/, `String($1${call})`)
      return String(runInContext(calls, createContext({})))
    }
    t.equal(run(renamed), run(code), call)
  }
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
