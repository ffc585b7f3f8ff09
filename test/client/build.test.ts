import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import t from 'tap'
import { type ConnectOptions, connect, type Push } from '../../src/client/index.js'
import { buildScripts } from './browser.js'

const folder = t.testdir()
await buildScripts(folder)
const classic = await readFile(join(folder, 'downpipe.js'), 'utf8')
const html = await readFile(join(folder, 'downpipe-html.js'), 'utf8')
const module = await readFile(join(folder, 'downpipe.mjs'), 'utf8')

t.test('the classic scripts are ES5', async t => {
  t.doesNotThrow(() => parse(classic, { ecmaVersion: 5, sourceType: 'script' }))
  t.doesNotThrow(() => parse(html, { ecmaVersion: 5, sourceType: 'script' }))
  t.throws(() => parse('const a = 1', { ecmaVersion: 5, sourceType: 'script' }), 'the check can fail')
})

t.test('the classic scripts define Downpipe, and no other global', async t => {
  for (const scripts of [[classic], [html], [classic, html], [html, classic]]) {
    const window: Record<string, unknown> = {}
    window.window = window
    window.document = { readyState: 'complete', querySelector: () => null }
    const before = createContext(window)
    for (const script of scripts) runInContext(script, before)
    t.strictSame(Object.keys(window).sort(), ['Downpipe', 'document', 'window'])
  }
})

t.test('the module is ES2018, exports connect, and may be loaded where there is no page', async t => {
  t.doesNotThrow(() => parse(module, { ecmaVersion: 2018, sourceType: 'module' }))
  const exports = await import(join(folder, 'downpipe.mjs'))
  t.strictSame(Object.keys(exports), ['connect'])
})

t.test('they are small, gzipped', async t => {
  for (const [code, most] of [
    [classic, 3400],
    [html, 800],
    [module, 2500],
  ] as const) {
    const size = gzipSync(code, { level: 9 }).length
    t.ok(size <= most, `${size} bytes of ${most}`)
  }
})

t.test('channels may be typed, and listeners then know their data', async t => {
  interface Channels {
    readonly news: { readonly title: string }
    readonly count: number
  }
  // Only checked by the compiler: there is no page here.
  const use = (options: ConnectOptions): Push<Channels> => {
    const push = connect<Channels>('', options)
    push.on('news', (data, message) => data.title + message.data.title + message.id)
    push.on('count', data => data.toFixed())
    // @ts-expect-error: there is no such channel
    push.on('nothing', () => {})
    // @ts-expect-error: the data is not a string
    push.on('count', (data: string) => data)
    connect('', { token: async () => 'x' }).on('any', (data: unknown) => data)
    return push
  }
  t.type(use, 'function')
})
