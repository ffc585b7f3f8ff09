import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { publish } from '../../helpers/calls.js'
import { listen } from '../../helpers/listening.js'
import { serviceKey, startTestServer } from '../../helpers/server.js'

// What another program gets by `downpipe/client`: the built files, by the package's exports.

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What a program did. */
interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs a program as a process of its own, in a folder where it finds the package.
 *
 * @param line gets each line that it prints; what it does then is waited for, too
 */
async function run(
  t: Test,
  program: string,
  args: readonly string[],
  line: (line: string) => Promise<unknown> | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  })
  t.teardown(() => child.kill())
  let out = ''
  let err = ''
  const answers: (Promise<unknown> | undefined)[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    for (const each of text.split('\n').filter(Boolean)) answers.push(line(each))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  await once(child, 'close')
  await Promise.all(answers)
  return { code: child.exitCode, out, err }
}

const subscriber = `
  import { connect } from 'downpipe/client'
  const [url, token, transport] = process.argv.slice(1)
  const push = connect(url, {
    token,
    transport,
    channels: ['a'],
    onready: () => console.log('ready'),
    onerror: error => {
      console.log('error ' + error.status + ' ' + error.message)
      push.close()
    },
  })
  push.on('a', data => {
    console.log('data ' + data)
    if (data === 'end') push.close()
    if (data === 'throw') throw new Error('thrown by a listener')
  })
`

/** The files that the compiler reads for a program that uses the package; it must have nothing to complain about. */
async function compile(t: Test, compilerOptions: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = t.testdir({
    'package.json': '{"type":"module"}',
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        types: [],
        noEmit: true,
        ...compilerOptions,
      },
    }),
    'program.ts': `
      import { connect, type Push, type Presence } from 'downpipe/client'
      interface Channels { readonly news: { readonly title: string } }
      const push: Push<Channels> = connect<Channels>('http://push.example', {
        token: async () => 'x', grants: ['g'], since: '1-1', transport: 'poll',
        onready: ready => [ready.presence.join(), ready.refused.map(({ grant, reason }) => reason + grant.toFixed())],
        onpresence: (presence: Presence) => presence.event === 'online',
        ongap: gap => gap.initial,
      })
      push.on('news', (data, message) => data.title + message.id)
      // @ts-expect-error: there is no such channel
      push.on('nothing', () => {})
      // @ts-expect-error: there is no such option
      connect('', { tokens: 'x' })
    `,
    node_modules: { downpipe: t.fixture('symlink', root) },
  })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return (await promisify(execFile)(process.execPath, [tsc, '--listFiles', '-p', folder])).stdout
}

t.test('what is tested here was built from the sources as they are', async t => {
  const built = await stat(join(root, 'dist/client/node/index.js'))
  const sources = join(root, 'src/client')
  for (const name of await readdir(sources, { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const { mtimeMs } = await stat(join(sources, name))
    if (mtimeMs > built.mtimeMs) t.fail(`src/client/${name} is newer: npm run build`)
  }
})

for (const transport of ['sse', 'poll']) {
  t.test(`${transport}: an open connection keeps a program alive, and close lets it end`, async t => {
    const server = await startTestServer()
    t.teardown(() => server.close())
    const { code, out, err } = await run(t, subscriber, [server.url, serviceKey, transport], line => {
      if (line === 'ready') return publish(server, { channel: 'a', data: 'go on' })
      if (line === 'data go on') return publish(server, { channel: 'a', data: 'end' })
      return undefined
    })
    t.strictSame(out.split('\n'), ['ready', 'data go on', 'data end', ''])
    t.equal(err, '')
    t.equal(code, 0)
  })
}

t.test('over https the certificate is checked, and messages come', async t => {
  const folder = t.testdir()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=downpipe.test',
  ]
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', [...request, ...names, '-keyout', key, '-out', cert])
  const server = await startTestServer()
  t.teardown(() => server.close())
  const secured = createServer({ key: await readFile(key), cert: await readFile(cert) }, socket => {
    const inner = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
    socket.pipe(inner).pipe(socket)
    // Either may be cut; the other ends with it.
    socket.on('error', () => inner.destroy())
    inner.on('error', () => socket.destroy())
  })
  const url = `https://127.0.0.1:${await listen(secured)}`
  t.teardown(() => secured.close())
  for (const transport of ['sse', 'poll']) {
    const trusted = await run(
      t,
      subscriber,
      [url, serviceKey, transport],
      line => (line === 'ready' ? publish(server, { channel: 'a', data: 'end' }) : undefined),
      { NODE_EXTRA_CA_CERTS: cert },
    )
    t.equal(trusted.out, 'ready\ndata end\n')
    const strange = await run(t, subscriber, [url, serviceKey, transport], () => undefined)
    t.match(strange.out, /^error 0 self-signed certificate/)
  }
})

t.test('what a listener throws is uncaught, as of any event handler in Node', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const { code, err } = await run(t, subscriber, [server.url, serviceKey, 'sse'], line =>
    line === 'ready' ? publish(server, { channel: 'a', data: 'throw' }) : undefined,
  )
  t.match(err, 'thrown by a listener')
  t.equal(code, 1)
})

t.test('a gap that waits to be told does not keep a program alive that has closed', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const { code, out } = await run(
    t,
    `
      import { createServer } from 'node:http'
      import { connect } from 'downpipe/client'
      const gap = { since: '1-1', cursor: '1-2', reason: 'old', spreadMs: 3_600_000, initial: true }
      const server = createServer((_, response) => {
        response.end(JSON.stringify({ cursor: '1-3', messages: [{ id: '1-3', data: 1 }], gap }))
      })
      server.listen(0, '127.0.0.1', () => {
        const push = connect('http://127.0.0.1:' + server.address().port, {
          transport: 'poll',
          onmessage: () => {
            console.log('closing')
            push.close()
            server.close()
          },
        })
      })
    `,
    [],
    () => undefined,
  )
  t.equal(out, 'closing\n')
  t.equal(code, 0)
})

t.test('a program that is resolved as for Node gets the types of the client in Node', async t => {
  const files = await compile(t, { module: 'nodenext', lib: ['es2023'] })
  t.match(files, /\/dist\/client\/node\/index\.d\.ts$/m)
  t.notMatch(files, /\/dist\/client\/index\.d\.ts$/m)
})

t.test('a page that is bundled gets the types of the browser script', async t => {
  const files = await compile(t, { module: 'esnext', moduleResolution: 'bundler' })
  t.match(files, /\/dist\/client\/index\.d\.ts$/m)
  t.notMatch(files, /\/dist\/client\/node\//)
})
