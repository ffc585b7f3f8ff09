import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import t from 'tap'

const root = new URL('../../', import.meta.url)

t.test('the publisher imports nothing but itself and what Node has', async t => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('src/publisher/index.ts', root))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  })
  const inputs = Object.keys(metafile.inputs)
  t.ok(inputs.length > 5)
  for (const input of inputs) t.match(input, /(^|\/)src\/publisher\/[\w-]+\.ts$/)
  const imports = Object.values(metafile.outputs).flatMap(output => output.imports)
  t.ok(imports.length > 0)
  for (const { path } of imports) t.ok(path.startsWith('node:') && isBuiltin(path), path)
})

t.test('the package names it, and holds the PHP file', async t => {
  const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  t.strictSame(manifest.exports['./publisher'], {
    types: './dist/publisher/index.d.ts',
    default: './dist/publisher/index.js',
  })
  t.ok(manifest.files.includes('dist'))
  t.ok(manifest.files.includes('src/integrations/php'))
})
