// Builds the browser script: `node src/client/build.mjs [folder]`, by default into public/.
// downpipe.js: a classic script in ES5, which defines `Downpipe`. downpipe.mjs: an ES module, which exports `connect`.
// downpipe-html.js: a classic script in ES5, which lets elements take HTML.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { transform } from '@swc/core'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const folder = resolve(process.argv[2] ?? join(here, '../../public'))
const { version } = JSON.parse(await readFile(join(here, '../../package.json'), 'utf8'))
const banner = `/*! Downpipe ${version} | MIT */\n`
// Words between the modules, which neither a page nor the server ever sees, and which are no browser's either.
const ownNames = /^(address|compare|deliver|drop|extend|fail|names|reset|take)$/

async function bundle(entry, options) {
  const result = await build({
    entryPoints: [join(here, entry)],
    bundle: true,
    write: false,
    mangleProps: ownNames,
    ...options,
  })
  return result.outputFiles[0].text
}

/** @param most the bytes that it may have, gzipped */
async function write(name, code, most) {
  const target = join(folder, name)
  // Whoever reads meanwhile gets the old file or the new one, never half of it.
  await writeFile(`${target}.${process.pid}`, banner + code)
  await rename(`${target}.${process.pid}`, target)
  const gzipped = gzipSync(banner + code, { level: 9 }).length
  process.stdout.write(
    `${name}: ${Buffer.byteLength(banner + code)} bytes, ${gzipped} gzipped, of ${most} at most\n`,
  )
  if (gzipped <= most) return
  process.stderr.write(`${name} is too large: each page loads it\n`)
  process.exitCode = 1
}

await mkdir(folder, { recursive: true })

/** A classic script in ES5. */
async function writeClassic(name, entry, most) {
  // swc lowers what esbuild cannot. The function around it comes last, so that swc's helpers are inside it.
  const classic = await bundle(entry, { format: 'esm', target: 'es2018', minifySyntax: true })
  const es5 = await transform(classic, {
    isModule: false,
    minify: true,
    env: {
      targets: { ie: '11' },
      loose: true,
      // A helper for symbols made by polyfills; there are none here.
      exclude: ['transform-typeof-symbol'],
    },
    jsc: {
      minify: {
        // Inlined functions are shorter, but compress worse.
        compress: { toplevel: true, inline: 0, reduce_vars: false },
        mangle: { toplevel: true },
        format: { comments: false },
      },
    },
  })
  await write(name, `!function(){${es5.code.trim()}}();\n`, most)
}

await writeClassic('downpipe.js', 'global.ts', 3400)
await writeClassic('downpipe-html.js', 'global-html.ts', 800)
await write('downpipe.mjs', await bundle('index.ts', { format: 'esm', target: 'es2018', minify: true }), 2500)
