#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import closeWithGrace from 'close-with-grace'
import { unrestrictedKey } from './auth/service-key.js'
import type { Terminal } from './commands/terminal.js'
import { type Config, ConfigError, helpText, loadConfig } from './config.js'
import { boundNewSpace } from './new-space.js'
import { connectionsAllowed } from './open-files.js'
import { packageVersion } from './package-version.js'

/** Exit code for a command line or configuration that cannot be used; also that of the commands. */
const exitUsage = 2

/** Connections below which the open-files limit is worth a warning. */
const fewConnections = 10_000

const usage = `Usage: downpipe [serve] [options]     start the service
       downpipe check-config [options] say what is wrong with the configuration, and start nothing
       downpipe COMMAND [options]      talk to a service that runs; downpipe COMMAND --help says more
       downpipe --help | --version

A first try:  downpipe --dev

`

/** What stands on its own; the other commands call a service. */
const ownCommands = { serve, 'check-config': checkConfig }

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Reads the configuration, or says all that is wrong with it and ends the process. */
function configure(argv: readonly string[]): Config {
  try {
    return loadConfig({
      argv,
      env: process.env,
      readFile: path => readFileSync(path, 'utf8'),
      random: () => randomBytes(24).toString('base64url'),
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    complain(error.message)
    complain('\ndownpipe --help lists all options')
    process.exit(exitUsage)
  }
}

function checkConfig(argv: readonly string[]): void {
  configure(argv)
  say('the configuration is good')
}

async function serve(argv: readonly string[]): Promise<void> {
  boundNewSpace()
  const config = configure(argv)
  const allowed = connectionsAllowed()
  if (config.maxConnections === 0 && allowed < fewConnections) {
    complain(
      `warning: the open-files limit allows ${allowed} connections; raise it (ulimit -n, LimitNOFILE=)`,
    )
  }
  // Not loaded for the commands, which would take twice as long to begin.
  const { startServer } = await import('./server.js')
  const server = await startServer(config, allowed).catch((error: unknown) => {
    complain(`downpipe cannot start: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  })
  // SIGUSR2 is left to Node's diagnostics (--heapsnapshot-signal and its like).
  closeWithGrace({ delay: config.drainTimeoutMs + 1_000, skip: ['SIGUSR2'] }, async ({ err }) => {
    if (err !== undefined) complain(`downpipe failed: ${err.stack ?? err.message}`)
    await server.close()
  })
  if (config.dev) say(welcome(server.url, unrestrictedKey(config.serviceKeys) ?? ''))
}

/** What somebody who tries it needs: how to publish, and how to listen. */
function welcome(url: string, key: string): string {
  return `
Downpipe listens on ${url}, for development: any page of this machine may read everything.

1. Save this as a file hello.html and open it in a browser:

   <script src="${url}/downpipe.js"></script>
   <script>
     Downpipe.connect('${url}').on('hello', function (data) { document.body.append(data.text + ' ') })
   </script>

2. Publish:

   curl ${url}/v1/publish -H 'Authorization: Bearer ${key}' \\
     -H 'Content-Type: application/json' -d '{"channel":"hello","data":{"text":"Hi!"}}'
`
}

/** The process as the commands see it. */
const terminal: Terminal = {
  env: process.env,
  readFile: path => readFileSync(path, 'utf8'),
  readInput: () => textOf(process.stdin),
  write: text => process.stdout.write(text),
  complain: text => process.stderr.write(text),
  interruption: () => {
    const interruption = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
    return interruption.signal
  },
}

async function call(name: string, argv: readonly string[]): Promise<void> {
  const { commandHelp, commandList, commands } = await import('./commands/index.js')
  const command = commands.find(candidate => candidate.name === name)
  const given = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  if (command === undefined) {
    complain(`downpipe: there is no command ${JSON.stringify(name)}\n\n${usage}${commandList}`)
    process.exitCode = exitUsage
  } else if (given.includes('--help') || given.includes('-h')) say(commandHelp(command).trimEnd())
  else {
    // Whoever reads the output may have seen enough of it: `downpipe tail news | head -1`.
    process.stdout.once('error', () => process.exit())
    process.exitCode = await command.run(argv, terminal)
  }
}

const [first = '', ...rest] = process.argv.slice(2)
const isOwn = Object.hasOwn(ownCommands, first)
const argv = isOwn ? rest : process.argv.slice(2)
if (first !== '' && !isOwn && !first.startsWith('-')) await call(first, rest)
else if (argv.includes('--help') || argv.includes('-h')) {
  const { commandList } = await import('./commands/index.js')
  say(usage + commandList + helpText())
} else if (argv.includes('--version') || argv.includes('-v')) say(packageVersion())
else {
  const command = isOwn ? (first as keyof typeof ownCommands) : 'serve'
  await ownCommands[command](argv)
}
