// Builds the browser script: `node src/client/build.mjs [folder]`, by default into public/.
// downpipe.js: a classic script in ES5, which defines `Downpipe`. downpipe.mjs: an ES module, which exports `connect`, and
// downpipe-core.mjs, the same with less. downpipe-html.js: a classic script in ES5, which lets elements take HTML.
// Prints their sizes, and fails where one is larger than it may be.

import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { transform } from '@swc/core'
import { build } from 'esbuild'
import { renameVariables } from './short-names.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const folder = resolve(process.argv[2] ?? join(here, '../../public'))
const cache = join(here, '../../node_modules/.cache/downpipe')

// Words between the modules, which neither a page nor the server ever sees, and which are no browser's either.
const ownNames = /^(ask|asks|at|batch|current|extend|follow|isNews|names|receive|rest|source|tellGap)$/
// Those between tabs, which may have different versions of the script: they stay as they are.
const tabsNames = { asks: 'a', at: 'p', batch: 'b', isNews: 'i', names: 'n' }

async function bundle(entry, plugins) {
  const result = await build({
    entryPoints: [join(here, entry)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2018',
    minifySyntax: true,
    mangleProps: ownNames,
    mangleCache: tabsNames,
    plugins,
  })
  return result.outputFiles[0].text
}

async function put(target, content) {
  // Whoever reads meanwhile gets the old file or the new one, never half of it.
  await writeFile(`${target}.${process.pid}`, content)
  await rename(`${target}.${process.pid}`, target)
}

/** @param most the bytes that it may have, gzipped */
async function write(name, code, most) {
  const whole = Buffer.from(code)
  const gzipped = gzipSync(whole, { level: 9 })
  // The server sends the smallest one that the browser takes.
  await put(join(folder, name), whole)
  await put(join(folder, `${name}.gz`), gzipped)
  await put(join(folder, `${name}.br`), brotliCompressSync(whole))
  process.stdout.write(`${name}: ${whole.length} bytes, ${gzipped.length} gzipped, of ${most} at most\n`)
  if (gzipped.length <= most) return
  process.stderr.write(`${name} is too large: each page loads it\n`)
  process.exitCode = 1
}

await mkdir(folder, { recursive: true })

const minify = {
  // Inlined functions are shorter, but compress worse.
  compress: { toplevel: true, inline: 0, reduce_funcs: false },
  mangle: { toplevel: true },
  format: { comments: false },
}

/** Takes seconds, so what came of it is kept for the next time. */
async function nameShortly(code, tries) {
  const self = await readFile(join(here, 'short-names.mjs'))
  const key = createHash('sha256').update(self).update(`${tries} ${code}`).digest('hex')
  const kept = join(cache, `${key}.js`)
  try {
    return await readFile(kept, 'utf8')
  } catch {
    // Not done yet.
  }
  const named = renameVariables(code, tries)
  await mkdir(cache, { recursive: true })
  await put(kept, named)
  return named
}

/** A classic script in ES5; `tries` as for `renameVariables`. */
async function writeClassic(name, entry, tries, most) {
  // swc lowers what esbuild cannot. The function around it comes last, so that swc's helpers are inside it.
  const { code } = await transform(await bundle(entry, []), {
    isModule: false,
    minify: true,
    // A helper for symbols made by polyfills; there are none here.
    env: { targets: { ie: '11' }, loose: true, exclude: ['transform-typeof-symbol'] },
    jsc: { minify },
  })
  await write(name, await nameShortly(`!function(){${code.trim()}}();\n`, tries), most)
}

/** An ES module. */
async function writeModule(name, entry, plugins, most) {
  const { code } = await transform(await bundle(entry, plugins), {
    isModule: true,
    minify: true,
    jsc: {
      target: 'es2018',
      minify: { ...minify, module: true, compress: { ...minify.compress, hoist_vars: true } },
    },
  })
  await write(name, `${code.trim()}\n`, most)
}

// The core has a connection for each tab, fetches no session, follows neither its page's life nor tells it of gaps by an event, and says
// nothing on the console.
const core = {
  name: 'core',
  setup(build) {
    build.onResolve({ filter: /\/(tabs|session|page-events|gap-event)\.js$/ }, ({ path }) => ({
      path: join(here, path.replace('./', 'no-').replace('.js', '.ts')),
    }))
    // Each sentence is a line.
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/^.*\bnote(\(.*\)|,|.* from .*)$/gm, ''),
      loader: 'ts',
    }))
  },
}

await writeClassic('downpipe.js', 'global.ts', 200_000, 3400)
await writeClassic('downpipe-html.js', 'global-html.ts', 20_000, 800)
await writeModule('downpipe.mjs', 'index.ts', [], 3320)
await writeModule('downpipe-core.mjs', 'core.ts', [core], 2220)
