import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { CommandLine } from './helpers/command-line.js'
import { SseReader } from './helpers/sse-reader.js'

// Processes of their own, of which a few start side by side.
t.jobs = 3

const key = 'a-service-key-for-the-command-line'
const serving = ['--listen=127.0.0.1:0', `--service-key=${key}`]

function start(t: Test, argv: readonly string[], env: Record<string, string> = {}): CommandLine {
  return new CommandLine(t, argv, env, 'built')
}

async function directory(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'downpipe-cli-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

/** Publishes, over TCP or a Unix socket, and gives the status. */
function publish(address: string, message: unknown): Promise<number> {
  const [, socketPath] = /^unix:(.*)$/.exec(address) ?? []
  const { hostname, port } = new URL(socketPath === undefined ? address : 'http://localhost')
  return new Promise((resolve, reject) => {
    const call = request({
      ...(socketPath === undefined ? { hostname, port } : { socketPath }),
      agent: false,
      method: 'POST',
      path: '/v1/publish',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    })
    call.once('error', reject)
    call.once('response', response => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    call.end(JSON.stringify(message))
  })
}

t.test('what is tested here was built from the sources as they are', async t => {
  const sources = new URL('../src/', import.meta.url)
  const built = await stat(new URL('../dist/cli.js', import.meta.url))
  const files = (await readdir(sources, { recursive: true })).filter(name =>
    /^(?!client\/).*\.ts$/.test(name),
  )
  for (const name of files) {
    const { mtimeMs } = await stat(new URL(name, sources))
    if (mtimeMs > built.mtimeMs) t.fail(`src/${name} is newer: npm run build`)
  }
})

t.test('--help tells of every command and option, --version which one it is', async t => {
  const help = start(t, ['--help'])
  t.strictSame(await help.exit, { code: 0, signal: null })
  t.match(
    help.out,
    /^Usage: downpipe \[serve\].*check-config.*--listen ADDRESS.*127\.0\.0\.1:8080.*--service-key KEY/s,
  )
  const version = start(t, ['--version'])
  t.strictSame(await version.exit, { code: 0, signal: null })
  t.match(version.out, /^\d+\.\d+\.\d+\n$/)
  t.equal(help.err + version.err, '')
})

t.test('a command that does not exist is told so', async t => {
  const cli = start(t, ['start'])
  t.strictSame(await cli.exit, { code: 2, signal: null })
  t.match(cli.err, /no command "start".*Usage:/s)
})

t.test('all that is wrong is said at once, with its source, and nothing starts', async t => {
  const file = join(await directory(t), 'downpipe.json')
  await writeFile(file, '{"maxData":"lots","colour":1}')
  const bad = [
    '--listen=127.0.0.1:0',
    '--heartbeat=often',
    '--nonsense',
    `--config=${file}`,
    '--service-key=short',
  ]
  for (const command of [['serve'], ['check-config']]) {
    const cli = start(t, [...command, ...bad], {
      DOWNPIPE_POLL_WAIT: 'long',
      DOWNPIPE_NONSENSE: '1',
    })
    t.strictSame(await cli.exit, { code: 2, signal: null })
    for (const named of [
      '--heartbeat',
      '--nonsense',
      'DOWNPIPE_POLL_WAIT',
      'maxData',
      'colour',
      '--service-key',
      '--help',
    ]) {
      t.match(cli.err, named)
    }
    t.notMatch(cli.err, 'short')
    t.equal(cli.out, '')
  }
})

t.test('without a service key nothing starts', async t => {
  const cli = start(t, ['--listen=127.0.0.1:0'])
  t.strictSame(await cli.exit, { code: 2, signal: null })
  t.match(cli.err, /no service key: give one by --service-key/)
})

t.test('check-config says that all is good, and starts nothing', async t => {
  const cli = start(t, ['check-config', ...serving])
  t.strictSame(await cli.exit, { code: 0, signal: null })
  t.equal(cli.out, 'the configuration is good\n')
})

t.test('--dev says how to publish and how to listen, and both work as they are written', async t => {
  const cli = start(t, ['--dev', '--listen=127.0.0.1:0'])
  const curl = await cli.says(/^ +curl .*\\\n.*$/m)
  const [url = ''] = await cli.urls()
  t.match(cli.out, `<script src="${url}/downpipe.js"></script>`)
  t.match(cli.out, `Downpipe.connect('${url}').on('hello', `)
  const reader = new SseReader(url, { channels: ['hello'], headers: { origin: 'http://localhost:3000' } })
  t.teardown(() => reader.close())
  await reader.next('ready')
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', curl])
  t.match(stdout, /^\{"id":"\d+-1"\}$/)
  t.strictSame(await reader.messages(1), [{ text: 'Hi!' }])
})

t.test('it listens on several addresses, Unix sockets among them, and is one service on all', async t => {
  const path = join(await directory(t), 'push.sock')
  const keys = join(await directory(t), 'keys')
  await writeFile(keys, `# the CMS\n${key}\n`)
  const cli = new CommandLine(
    t,
    ['--listen=127.0.0.1:0', '--listen=127.0.0.2:0', `--listen=unix:${path}`, '--anonymous-channels=a'],
    { DOWNPIPE_SERVICE_KEY_FILE: keys },
  )
  const urls = await cli.urls()
  t.match(urls, [/^http:\/\/127\.0\.0\.1:\d+$/, /^http:\/\/127\.0\.0\.2:\d+$/, `unix:${path}`])
  const reader = new SseReader(urls[0] ?? '', { channels: ['a'] })
  await reader.next('ready')
  for (const [index, url] of urls.entries()) {
    t.equal(await publish(url, { channel: 'a', data: index }), 200)
    t.strictSame(await reader.messages(1), [index])
  }
  cli.kill('SIGINT')
  t.match((await reader.next('close')).data, { reason: 'shutdown' })
  t.strictSame(await cli.exit, { code: 0, signal: null })
  await t.rejects(stat(path), { code: 'ENOENT' }, 'the socket is gone')
})

t.test('on Node 24 and later the service bounds V8’s new space, unless somebody has', async t => {
  const isBounded = process.execve !== undefined && Number.parseInt(process.versions.node, 10) >= 24
  for (const [env, bounds] of [
    [{}, isBounded ? ['--max-semi-space-size=16'] : []],
    [{ NODE_OPTIONS: '--max-semi-space-size=32' }, []],
  ] as const) {
    const cli = start(t, serving, env)
    const [url = ''] = await cli.urls()
    t.equal((await fetch(`${url}/healthz`)).status, 200)
    t.strictSame(
      (await cli.command()).filter(word => word.includes('semi-space')),
      bounds,
    )
    t.equal(cli.err, '', 'not even a warning')
    cli.kill('SIGTERM')
    t.strictSame(await cli.exit, { code: 0, signal: null }, 'it is the process that was started')
  }
})

t.test('--control-listen takes the CMS’s side away from where browsers are', async t => {
  const cli = start(t, [...serving, '--control-listen=127.0.0.1:0', '--anonymous-channels=a'])
  const [browsers = '', control = ''] = await cli.urls()
  const reader = new SseReader(browsers, { channels: ['a'] })
  t.teardown(() => reader.close())
  await reader.next('ready')
  t.equal(await publish(browsers, { channel: 'a', data: 1 }), 404)
  t.equal(await publish(control, { channel: 'a', data: 2 }), 200)
  t.strictSame(await reader.messages(1), [2])
  const headers = { authorization: `Bearer ${key}` }
  for (const path of ['/v1/cursor', '/v1/stats', '/v1/stats/stream']) {
    t.equal((await fetch(browsers + path, { headers })).status, 404, path)
  }
  for (const path of ['/v1/stream?channel=a', '/v1/poll?channel=a', '/downpipe.js']) {
    t.equal((await fetch(control + path)).status, 404, path)
  }
  for (const path of ['/healthz', '/readyz']) {
    for (const url of [browsers, control]) t.equal((await fetch(url + path)).status, 200)
  }
})

t.test('an address that is taken is named', async t => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const address = other.address()
  const taken = address !== null && typeof address === 'object' ? `127.0.0.1:${address.port}` : ''
  const cli = start(t, [...serving, `--control-listen=${taken}`])
  t.strictSame(await cli.exit, { code: 1, signal: null })
  t.match(cli.err, `downpipe cannot start: listen EADDRINUSE: address already in use ${taken}`)
})

t.test('a Unix socket is taken over from a process that was killed, but not from one that lives', async t => {
  const path = join(await directory(t), 'push.sock')
  const options = [`--listen=unix:${path}`, `--service-key=${key}`]
  const killed = start(t, options)
  await killed.urls()
  killed.kill('SIGKILL')
  await killed.exit
  await stat(path)
  const next = start(t, options)
  t.strictSame(await next.urls(), [`unix:${path}`])
  t.equal(await publish(`unix:${path}`, { channel: 'a', data: 1 }), 200)
  const other = start(t, options)
  t.strictSame(await other.exit, { code: 1, signal: null })
  t.match(other.err, `address already in use ${path}`)
  t.equal(await publish(`unix:${path}`, { channel: 'a', data: 2 }), 200)
})

t.test('a file that is no socket is left alone', async t => {
  const path = join(await directory(t), 'notes')
  await writeFile(path, 'important')
  const cli = start(t, [`--listen=unix:${path}`, `--service-key=${key}`])
  t.strictSame(await cli.exit, { code: 1, signal: null })
  t.match(cli.err, `address already in use ${path}`)
  t.equal(await readFile(path, 'utf8'), 'important')
})

t.test('SIGTERM lets everybody go in order, and the process ends well and in time', async t => {
  const cli = start(t, [...serving, '--anonymous-channels=a', '--drain-timeout=15s'])
  const [url = ''] = await cli.urls()
  const readers = [1, 2, 3].map(() => new SseReader(url, { channels: ['a'] }))
  for (const reader of readers) await reader.next('ready')
  const beginMs = performance.now()
  cli.kill('SIGTERM')
  for (const reader of readers) {
    t.match((await reader.next('close')).data, { reason: 'shutdown', reconnect: true })
    await reader.next('end')
  }
  t.strictSame(await cli.exit, { code: 0, signal: null })
  t.ok(performance.now() - beginMs < 10_000, 'nobody was waited for')
  t.match(cli.out, /"msg":"stopping: everybody is asked to come back"\}\n.*"msg":"stopped"\}\n$/s)
})
