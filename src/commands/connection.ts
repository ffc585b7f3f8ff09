import { readKeyFile } from '../config/key-file.js'
import type { Kind } from '../config/kind.js'
import { filePath } from '../config/kind.js'
import { maybe, one, toggle } from '../config/option.js'
import { duration } from '../config/quantity.js'
import { plainKey } from '../config/service-key.js'
import { siteName } from '../config/site-name.js'
import { siteBase, type Target, target } from '../remote/target.js'
import type { ValuesOf } from './command.js'
import { CommandError, exitCodes } from './exit-code.js'
import { Service } from './service.js'
import type { Terminal } from './terminal.js'

/** Where the service is when nobody says it: where `downpipe` listens by default. */
const defaultUrl = 'http://127.0.0.1:8080'

/** Prints for machines. */
export const jsonOption = toggle({
  name: 'json',
  doc: 'Writes JSON for programs: one document, or a line for each event where there is no end.',
})

/** How long to wait for an answer. */
export const timeoutOption = one(duration({ min: '100ms', max: '10m' }), {
  name: 'timeout',
  default: '10s',
  doc: 'How long an answer may take. Stops a script from waiting for a server that hangs.',
})

/** Which site of the server. */
export const siteOption = maybe(siteName, {
  name: 'site',
  doc: 'The site, where the server carries several. Also DOWNPIPE_SITE.',
})

/** The service key, and the file that holds it. */
export const keyOptions = {
  key: maybe(plainKey, {
    name: 'key',
    isSecret: true,
    doc: `The service key. The command line is visible to every user of the machine: prefer --key-file or
      DOWNPIPE_SERVICE_KEY (the first, where it holds several).`,
  }),
  keyFile: maybe(filePath, {
    name: 'key-file',
    doc: 'A file of service keys: the first that may do everything, else the first. Also DOWNPIPE_SERVICE_KEY_FILE.',
  }),
}

/** The options of every command that calls the server. */
export const connectionOptions = {
  url: maybe(target, {
    name: 'url',
    doc: `Where the service is, with the prefix that a proxy strips, if there is one. Also DOWNPIPE_URL; without both it is
      ${defaultUrl}.`,
  }),
  site: siteOption,
  ...keyOptions,
  timeoutMs: timeoutOption,
  json: jsonOption,
}

/** The service that a command talks to. @throws CommandError when where or how cannot be told. */
export function connect(values: ValuesOf<typeof connectionOptions>, terminal: Terminal): Service {
  const key = keyOf(values, terminal)
  if (key === undefined) {
    throw new CommandError(
      exitCodes.usage,
      'no service key: give one by DOWNPIPE_SERVICE_KEY, DOWNPIPE_SERVICE_KEY_FILE, --key-file or --key',
    )
  }
  return new Service({
    target: targetOf(values, terminal),
    base: siteBase(siteOf(values, terminal)),
    key,
    timeoutMs: values.timeoutMs,
  })
}

/** The site that is meant, if one is named. @throws CommandError when the environment names none that can be. */
export function siteOf(
  { site }: { readonly site: string | undefined },
  terminal: Terminal,
): string | undefined {
  return site ?? variable('DOWNPIPE_SITE', siteName, terminal)
}

/** The service key, if there is one. What is given on the command line wins. @throws CommandError */
export function keyOf({ key, keyFile }: ValuesOf<typeof keyOptions>, terminal: Terminal): string | undefined {
  if (key !== undefined) return key
  if (keyFile !== undefined) return keyIn('--key-file', keyFile, terminal)
  const [inEnvironment = ''] = (terminal.env.DOWNPIPE_SERVICE_KEY ?? '').split(',')
  if (inEnvironment.trim() !== '') return inVariable('DOWNPIPE_SERVICE_KEY', inEnvironment, plainKey)
  const path = terminal.env.DOWNPIPE_SERVICE_KEY_FILE ?? ''
  return path === '' ? undefined : keyIn('DOWNPIPE_SERVICE_KEY_FILE', path, terminal)
}

function targetOf({ url }: { readonly url: Target | undefined }, terminal: Terminal): Target {
  const found = url ?? variable('DOWNPIPE_URL', target, terminal) ?? target.parse(defaultUrl)
  if (found === undefined) throw new Error('the default URL is not one')
  return found
}

function keyIn(source: string, path: string, terminal: Terminal): string {
  const { keys, problems } = readKeyFile(source, path, terminal.readFile)
  const key = keys.find(each => typeof each === 'string') ?? keys[0]
  if (key === undefined || problems.length > 0) {
    throw new CommandError(exitCodes.usage, problems.join('\n  '))
  }
  return typeof key === 'string' ? key : key.key
}

function variable<T>(name: string, kind: Kind<T>, { env }: Terminal): T | undefined {
  const text = env[name]?.trim() ?? ''
  return text === '' ? undefined : inVariable(name, text, kind)
}

/** Without the value, which may be a secret, or hold one. */
function inVariable<T>(name: string, text: string, kind: Kind<T>): T {
  const value = kind.parse(text.trim())
  if (value === undefined)
    throw new CommandError(exitCodes.usage, `${name} is not allowed; it must be ${kind.what}`)
  return value
}
