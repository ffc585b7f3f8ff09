import { itemOf } from '../config/file.js'
import { type Option, one } from '../config/option.js'
import { siteOptions, table } from '../config/options.js'
import { quote, refusal, unknownName } from '../config/problem.js'
import { duration } from '../config/quantity.js'
import { conflicts, keyConflicts } from '../config/rules.js'
import { label, refusals, settle, strongestValue } from '../config/settle.js'
import { isSiteName, siteNameForm } from '../config/site-name.js'
import type { Given } from '../config/source.js'
import { ConfigError, deepFreeze, defaultSite, type SiteConfig } from '../config.js'
import type { Verify } from './function-verifier.js'
import type { Hooks } from './hooks.js'

/** The options of one site, by their names in `Config`: times in ms, sizes in bytes. Those left out have their defaults. */
export type SiteOptions = { readonly [Name in keyof SiteConfig]?: SiteConfig[Name] | undefined }

/** What the plugin is registered with. */
export interface DownpipeOptions extends SiteOptions, Hooks {
  /** Under which path the service is; its calls are at `<prefix>/v1`. Default: at the root. */
  readonly prefix?: string
  /** What the site is called: in the log, in the `aud` of grants. Default: `default`. */
  readonly name?: string | undefined
  /** The name of the decoration that publishes without HTTP; another one for a second registration. Default: `downpipe`. */
  readonly decorateAs?: string | undefined
  /** In place of `authUrl`. It has `verifyTimeoutMs`; a throw, or taking too long, is `busy` to that caller only. */
  readonly verify?: Verify | undefined
  /** How long, in ms, `onPublish`, `onOpen` and `onClose` may take. Default: 5000. */
  readonly hookTimeoutMs?: number | undefined
}

/** What the plugin works with. */
export interface EmbeddedSite {
  readonly config: SiteConfig
  readonly name: string
  readonly prefix: string
  readonly decorateAs: string
  readonly verify: Verify | undefined
  readonly hooks: Hooks
  readonly hookTimeoutMs: number
}

const hookTimeout = one(duration({ min: '1ms', max: '10m' }), {
  name: 'hook-timeout',
  default: '5s',
  doc: 'How long a hook may take. Stops one that hangs from keeping its publisher, and its memory, for ever.',
})

/** Options of a server that bound a site as well, and so can be given here. */
const bounding: readonly Option[] = [
  table.maxUrlBytes,
  table.connectionsPerAddress,
  table.reconnectRate,
  table.drainTimeoutMs,
]

/** A file to read is for the program to read. */
const accepted = new Map<string, Option>([
  ...Object.entries<Option>(table).filter(
    ([, row]) => (siteOptions.includes(row) || bounding.includes(row)) && row !== table.serviceKeyFile,
  ),
  ['hookTimeoutMs', hookTimeout],
])

/** Says what is wrong with a value, or undefined. */
type Check = (value: unknown) => string | undefined

const checkFunction: Check = value => (typeof value === 'function' ? undefined : 'must be a function')

/** What is no option of a site. */
const others = new Map<string, Check>([
  ['verify', checkFunction],
  ['onPublish', checkFunction],
  ['onOpen', checkFunction],
  ['onClose', checkFunction],
  ['allowLocalOrigins', value => (typeof value === 'boolean' ? undefined : 'must be true or false')],
  ['name', value => (isSiteName(String(value)) ? undefined : `must be ${siteNameForm}`)],
  ['decorateAs', value => (/^\w+$/.test(String(value)) ? undefined : 'must be a name of letters and digits')],
  [
    'prefix',
    value =>
      /^(?:\/[\w.~-]+)*$/.test(String(value))
        ? undefined
        : 'must be a path such as /push, without a slash at its end',
  ],
])

/**
 * Checks the options as those of a configuration file are checked.
 *
 * @throws ConfigError with every problem.
 */
export function readOptions(options: DownpipeOptions): EmbeddedSite {
  const values = Object.entries(options).filter(([, value]) => value !== undefined)
  const given: Given[] = []
  const problems: string[] = []
  for (const [name, value] of values) {
    const option = accepted.get(name)
    if (option !== undefined) read(option, name, value, given, problems)
    else problems.push(...strangeness(name, value))
  }
  const settings = settle(given)
  problems.push(
    ...given.flatMap(refusals),
    ...conflicts(settings, [], property => label(table[property], given)),
    ...keyConflicts(settings.serviceKeys, settings, property => label(table[property], given)),
    ...contradictions(options),
  )
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])
  const {
    verify,
    onPublish,
    onOpen,
    onClose,
    name = defaultSite,
    prefix = '',
    decorateAs = 'downpipe',
  } = options
  return {
    config: deepFreeze({ ...settings, allowLocalOrigins: options.allowLocalOrigins ?? false }),
    name,
    prefix,
    decorateAs,
    verify,
    hooks: { onPublish, onOpen, onClose },
    hookTimeoutMs: strongestValue(hookTimeout, given),
  }
}

function read(option: Option, source: string, value: unknown, given: Given[], problems: string[]): void {
  const items: readonly unknown[] = option.isList && Array.isArray(value) ? value : [value]
  const isText = (item: unknown) => option.json.some(type => type === typeof item)
  const wrong = items.filter(item => !isText(item))
  for (const item of wrong)
    problems.push(refusal(option, source, option.isSecret ? `a ${typeof item}` : quote(String(item))))
  // A bare number would be seconds.
  const unit = source.endsWith('Ms') ? 'ms' : ''
  const words = items.map(item => itemOf(option, typeof item === 'number' ? `${item}${unit}` : item))
  if (wrong.length === 0) given.push({ option, source, items: words })
}

/** What is wrong with an option that no site has. */
function strangeness(name: string, value: unknown): readonly string[] {
  const check = others.get(name)
  if (check !== undefined) {
    const problem = check(value)
    return problem === undefined ? [] : [`${name}: ${problem}`]
  }
  if (Object.hasOwn(table, name)) return [`${name}: is for the program that embeds the service to decide`]
  return [unknownName(name, name, [...accepted.keys(), ...others.keys()])]
}

function contradictions({ verify, serviceKeys = [], ...urls }: DownpipeOptions): readonly string[] {
  const problems: string[] = []
  if (verify !== undefined && urls.authUrl !== undefined)
    problems.push('verify: is in place of authUrl; give one of them')
  for (const name of ['authUrl', 'eventsUrl'] as const) {
    if (urls[name] === undefined || serviceKeys.length > 0) continue
    problems.push(`${name}: the CMS is shown a service key; give one by serviceKeys`)
  }
  return problems
}
