// Runs tests by tap: `node test/run.mjs` all but the long ones; `node test/run.mjs --long` only those (`*.long.test.ts`), and the
// randomised ones with ten times the effort; `node test/run.mjs FILE… [OPTION…]` these, with tap's options.
//
// All TypeScript is compiled here, once. When each test's process did it for itself, all tests together took twice the time.

import { execFile, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { transform } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = join(root, '.tap/compiled')
const compiledName = file => join(compiled, relative(root, resolve(file)).replace(/\.ts$/, '.js'))

async function compile(file) {
  const { code } = await transform(await readFile(file, 'utf8'), {
    loader: 'ts',
    target: 'node20',
    sourcefile: file,
    sourcemap: 'inline',
    // What a file looks for beside itself is beside its source.
    define: {
      'import.meta.url': JSON.stringify(String(pathToFileURL(file))),
      'import.meta.dirname': JSON.stringify(dirname(file)),
    },
  })
  const target = compiledName(file)
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, code)
}

// tap is built for the plugins that package.json asks for. It would do so by itself, but use them from the next run on.
async function buildTap() {
  const built = await readFile(join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js'), 'utf8')
  if (!built.includes('@tapjs/typescript')) return
  await promisify(execFile)(join(root, 'node_modules/.bin/tap'), ['build'], { cwd: root })
}

const folders = ['src', 'test', 'bench'].map(name => join(root, name))
const listings = await Promise.all(
  folders.map(folder => readdir(folder, { recursive: true, withFileTypes: true })),
)
const sources = listings
  .flat()
  .filter(entry => /(?<!\.d)\.ts$/.test(entry.name))
  .map(entry => join(entry.parentPath ?? entry.path, entry.name))
await Promise.all([...sources.map(compile), buildTap()])

// A process costs a second before its first test. So quick files of one folder, which leave nothing behind, share one; what measures
// its own memory has its own.
const together =
  /^test\/(auth|client|cms|config|control|embedding|hub|log|publisher|state)\/(?!.*-memory\.)(?=[^/]+$)/

async function group(files) {
  const groups = new Map()
  for (const file of files) {
    const [name] = together.exec(relative(root, file)) ?? [compiledName(file)]
    groups.set(name, [...(groups.get(name) ?? []), compiledName(file)])
  }
  const programs = [...groups].map(async ([name, [first, ...others]]) => {
    if (others.length === 0) return first
    const program = join(compiled, name, 'all.js')
    const lines = [
      "import t from 'tap'",
      'let go',
      // Else tap takes the end of one file for the end of all.
      "t.test('the files are loaded', () => new Promise(resolve => { go = resolve }))",
      ...[first, ...others].map(file => `await import(${JSON.stringify(String(pathToFileURL(file)))})`),
      'go()',
      't.end()',
    ]
    await writeFile(program, lines.join('\n'))
    return program
  })
  return await Promise.all(programs)
}

const given = process.argv.slice(2)
const isLong = given[0] === '--long'
const options = given.filter(word => word !== '--long' && !word.endsWith('.test.ts'))
const named = given.filter(word => word.endsWith('.test.ts'))
const isOf = isLong
  ? file => file.endsWith('.long.test.ts') || file.includes('/test/properties/')
  : file => !file.endsWith('.long.test.ts')
const all = sources.filter(file => file.endsWith('.test.ts') && isOf(file))
if (isLong) options.push('--timeout=500')
const programs = named.length > 0 ? named.map(compiledName) : await group(all)
const tap = spawn(join(root, 'node_modules/.bin/tap'), [...options, ...programs], {
  cwd: root,
  stdio: 'inherit',
  env: { ...(isLong && { TEST_EFFORT: '10' }), ...process.env },
})
tap.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : code
})
