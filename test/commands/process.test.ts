import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { commandHelp, commands } from '../../src/commands/index.js'
import { connected, publish, until } from '../helpers/calls.js'
import { CommandLine } from '../helpers/command-line.js'
import { deadUrl } from '../helpers/listening.js'
import { serviceKey, startTestServer } from '../helpers/server.js'

// The commands as processes: what they read, write and end with.

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a line of shell in which `$D` is the program, and gives its output and its exit code. */
async function shell(t: Test, line: string, env: Record<string, string>) {
  const child = spawn('/bin/sh', ['-c', line], {
    cwd: root,
    env: { PATH: process.env.PATH, D: `${process.execPath} dist/cli.js`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

t.test('commands are made for pipes', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const env = { DOWNPIPE_URL: server.url, DOWNPIPE_SERVICE_KEY: serviceKey }
  const piped = await shell(t, `echo '{"from":"a pipe"}' | $D publish news -`, env)
  t.match(piped, { code: 0, out: /^\d+-1\n$/, err: '' })

  let isOver = false
  const reading = shell(t, '{ $D tail news --since 0 --json; echo "code $?" >&2; } | head -n 2', env).finally(
    () => {
      isOver = true
    },
  )
  // Who writes learns that nobody reads any more when it writes.
  await until('tail has ended', async () => {
    await publish(server, { channel: 'news', data: 'more' })
    return isOver
  })
  const { code, out, err } = await reading
  t.match({ code, out }, { code: 0, out: /^\{"id":.*"ready".*\n.*"a pipe".*\n$/ })
  t.equal(err, 'code 0\n', 'a reader that has seen enough is no fault')
})

t.test('the exit code tells what happened', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const url = await deadUrl()
  const env = { DOWNPIPE_URL: server.url, DOWNPIPE_SERVICE_KEY: serviceKey }
  const codes = await shell(
    t,
    `$D publish a 1; echo $?; $D publish 'a*' 1; echo $?; $D publish a nonsense; echo $?
    $D --url; $D publish a 1 --url ${url}; echo $?; $D stats --key ${serviceKey}-not; echo $?; $D doctor ${url}; echo $?`,
    env,
  )
  t.match(codes.out, /^\d+-1\n0\n1\n2\n3\n4\n/)
  t.match(codes.out, /\n1\n$/)
  t.notMatch(codes.out + codes.err, serviceKey)
})

t.test('Ctrl-C ends tail well, and its connection', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const env = { DOWNPIPE_URL: server.url, DOWNPIPE_SERVICE_KEY: serviceKey }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const tail = new CommandLine(t, ['tail', 'news'], env, 'built')
    await tail.says(/listening on news/)
    tail.kill(signal)
    t.strictSame(await tail.exit, { code: 0, signal: null })
    t.equal(tail.err, 'listening on news\n')
    await connected(server, 0)
  }
})

t.test('every command has help, which asks nobody for anything', async t => {
  const help = new CommandLine(t, ['--help'], {}, 'built')
  await help.exit
  const names = [...help.out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name = '']) => name)
  t.strictSame(names.slice(0, 3), ['publish', 'tail', 'users'])
  t.equal(names.length, 12)
  for (const command of commands) t.match(commandHelp(command), `Usage: downpipe ${command.name} `)
  t.strictSame(
    names,
    commands.map(({ name }) => name),
  )
  const one = await shell(t, '$D tail --help', {})
  t.match(one, { code: 0, err: '', out: 'Usage: downpipe tail ' })
})

t.test('the variables of the commands do not keep a server from starting', async t => {
  const env = { DOWNPIPE_URL: 'http://127.0.0.1:1', DOWNPIPE_SITE: 'blog', DOWNPIPE_SERVICE_KEY: serviceKey }
  const { code, out } = await shell(t, '$D check-config', env)
  t.strictSame({ code, out }, { code: 0, out: 'the configuration is good\n' })
})
