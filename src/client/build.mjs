// Builds the browser script: `node src/client/build.mjs [--anew] [folder]`, by default into public/. `--anew` searches again, ten times as long,
// for what makes the scripts small.
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
import { search, squeeze } from './squeeze.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const publicFolder = join(here, '../../public')
const words = process.argv.slice(2)
const isAnew = words.includes('--anew')
const folder = resolve(words.find(word => word !== '--anew') ?? publicFolder)
// What was found for which script. It belongs to the repository, so that all machines build the same and none has to search.
const kept = join(here, 'squeezed.json')

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
  process.stderr.write(`${name} is too large: each page loads it. Searched --anew, it may be smaller.\n`)
  process.exitCode = 1
}

await mkdir(folder, { recursive: true })

const minify = {
  // Inlined functions are shorter, but compress worse.
  compress: { toplevel: true, inline: 0, reduce_funcs: false },
  mangle: { toplevel: true },
  format: { comments: false },
}

const hash = text => createHash('sha256').update(text).digest('hex')

async function readKept() {
  try {
    return JSON.parse(await readFile(kept, 'utf8'))
  } catch {
    // Deleted, or in the middle of a merge.
    return {}
  }
}

/**
 * Squeezes a script as was found best for it. Where it is another one since, searches, which takes some 70 microseconds a try.
 */
async function squeezeAsFound(name, code, tries) {
  const of = hash(code)
  const { [name]: known } = await readKept()
  if (known?.of === of && !isAnew) {
    try {
      const squeezed = squeeze(code, known)
      if (hash(squeezed) === known.gives) return squeezed
    } catch {
      // What reads scripts is another version since, and counts otherwise.
    }
  }
  const found = search(code, isAnew ? 10 * tries : tries)
  const squeezed = squeeze(code, found)
  // Who builds elsewhere, as tests do, changes nothing here.
  if (folder === resolve(publicFolder)) {
    const all = { ...(await readKept()), [name]: { of, gives: hash(squeezed), ...found } }
    await put(kept, `${JSON.stringify(all, null, 2)}\n`)
  }
  return squeezed
}

/** A classic script in ES5; `tries` as for `search`. */
async function writeClassic(name, entry, tries, most) {
  // swc lowers what esbuild cannot. The function around it comes last, so that swc's helpers are inside it.
  const { code } = await transform(await bundle(entry, []), {
    isModule: false,
    minify: true,
    // A helper for symbols made by polyfills; there are none here.
    env: { targets: { ie: '11' }, loose: true, exclude: ['transform-typeof-symbol'] },
    jsc: { minify },
  })
  await write(name, await squeezeAsFound(name, `!function(){${code.trim()}}();\n`, tries), most)
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

await writeClassic('downpipe.js', 'global.ts', 400_000, 3400)
await writeClassic('downpipe-html.js', 'global-html.ts', 20_000, 800)
await writeModule('downpipe.mjs', 'index.ts', [], 3390)
await writeModule('downpipe-core.mjs', 'core.ts', [core], 2220)
