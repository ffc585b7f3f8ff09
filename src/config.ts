import { unrestrictedKey } from './auth/service-key.js'
import { readCommandLine } from './config/command-line.js'
import { readEnvironment } from './config/environment.js'
import { readConfigFile } from './config/file.js'
import { type KeyFile, readKeyFile, readText, unreadable } from './config/key-file.js'
import type { Option } from './config/option.js'
import { type Settings, table } from './config/options.js'
import { itemRefusal, quote, refusal } from './config/problem.js'
import { conflicts, keyConflicts } from './config/rules.js'
import { type Given, nothing, type Source } from './config/source.js'

export type { Address } from './config/network.js'
export type { Option } from './config/option.js'
export { options } from './config/options.js'
export { helpText, optionsMarkdown } from './config/page.js'

/**
 * The resolved configuration, deeply frozen. The properties and their meanings are the rows of the table in
 * `config/*-options.ts`. Durations are milliseconds (`…Ms`), sizes bytes (`…Bytes`); 0 means what the
 * option's `limits` say.
 */
export interface Config extends Readonly<Omit<Settings, 'configFile' | 'serviceKeyFile'>> {
  /** Pages on localhost, on any port, may connect beside those of `allowOrigins`. Follows from `--dev`. */
  readonly allowLocalOrigins: boolean
}

/** What the configuration is made from. */
export interface ConfigInput {
  /** The command line after the sub-command. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Returns a file's text, or throws. */
  readonly readFile: (path: string) => string
  /** Makes the service key of `--dev`; called only when it is needed. */
  readonly random: () => string
}

/** The configuration cannot be used. */
export class ConfigError extends Error {
  /** All that is wrong with it, a sentence each; none contains a service key. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
    super([`${count} in the configuration:`, ...problems].join('\n  '))
    this.name = 'ConfigError'
    this.problems = Object.freeze([...problems])
  }
}

/**
 * Reads the command line, the environment and the configuration file, in this order of strength. `-h`,
 * `--help`, `-v` and `--version` are left to the caller.
 *
 * @throws {ConfigError} with every problem of every source, also of values that a stronger source hides:
 * otherwise they would come to light when the stronger one goes.
 */
export function loadConfig({ argv, env, readFile, random }: ConfigInput): Config {
  const strong = [readCommandLine(argv), readEnvironment(env)]
  const sources = [...strong, readNamedFile(strong, readFile)]
  const given = sources.flatMap(source => source.given)
  const settings = settle(given)
  const keyFile = readNamedKeys(given, readFile)
  const serviceKeys = [...new Set([...settings.serviceKeys, ...keyFile.keys])]
  const problems = [
    ...sources.flatMap(source => source.problems),
    ...given.flatMap(refusals),
    ...keyFile.problems,
    ...conflicts(settings, keyFile.keys, property => label(table[property], given)),
    ...keyConflicts(serviceKeys, settings, property => label(table[property], given)),
  ]
  const isKeyRefused = keyFile.problems.length > 0 || label(table.serviceKeys, given) === undefined
  if (serviceKeys.length === 0 && !settings.dev && !isKeyRefused) problems.push(noKey)
  if (problems.length > 0) throw new ConfigError(problems)
  const config = { ...resolved(settings), serviceKeys }
  return deepFreeze(settings.dev ? forDevelopment(config, random) : config)
}

/**
 * The defaults, frozen, with some of them replaced. For tests and for programs that embed the server: the
 * overrides are not checked, and `dev` implies nothing. There is no service key unless one is given.
 */
export function defaults(overrides: Partial<Config> = {}): Config {
  return deepFreeze(structuredClone({ ...resolved(settle([])), ...overrides }))
}

const noKey =
  'no service key: give one by --service-key, --service-key-file, DOWNPIPE_SERVICE_KEY or serviceKey in the file (--dev makes one)'

function readNamedFile(strong: readonly Source[], readFile: ConfigInput['readFile']): Source {
  const given = strong.flatMap(source => source.given)
  const path = strongestValue(table.configFile, given)
  if (path === undefined) return nothing
  const text = readText(path, readFile)
  if (typeof text === 'string') return readConfigFile(path, text)
  return { given: [], problems: [`${label(table.configFile, given)}: ${quote(path)}: ${unreadable(text)}`] }
}

function readNamedKeys(given: readonly Given[], readFile: ConfigInput['readFile']): KeyFile {
  const path = strongestValue(table.serviceKeyFile, given)
  const source = label(table.serviceKeyFile, given)
  return path === undefined || source === undefined
    ? { keys: [], problems: [] }
    : readKeyFile(source, path, readFile)
}

/** The strongest value; the default where none is given or the given one is refused. */
function strongestValue<T>(option: Option<T>, given: readonly Given[]): T {
  const strongest = given.find(candidate => candidate.option === option)
  if (strongest === undefined) return option.default
  const reading = option.read(strongest.items)
  return reading.ok ? reading.value : option.default
}

/** How the strongest value's source is named in a problem; undefined if the value is refused. */
function label(option: Option, given: readonly Given[]): string | undefined {
  const strongest = given.find(candidate => candidate.option === option)
  if (strongest === undefined) return `--${option.name} (by default)`
  return option.read(strongest.items).ok ? strongest.source : undefined
}

function settle(given: readonly Given[]): Settings {
  const entries = Object.entries<Option>(table).map(([property, option]) => [
    property,
    strongestValue(option, given),
  ])
  // Each property has the type of its own row, which the compiler cannot follow through a loop.
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Settings
}

function refusals({ option, source, items }: Given): string[] {
  const reading = option.read(items)
  if (reading.ok) return []
  return reading.refused.map(index => {
    const item = items[index] ?? ''
    if (typeof item !== 'string') return itemRefusal(option, source, `value ${index + 1}`)
    return refusal(option, source, option.isSecret ? `value ${index + 1}` : quote(item))
  })
}

function resolved({ configFile, serviceKeyFile, ...settings }: Settings): Config {
  return { ...settings, allowLocalOrigins: false }
}

function forDevelopment(config: Config, random: ConfigInput['random']): Config {
  const { serviceKeys, anonymousChannels } = config
  return {
    ...config,
    allowLocalOrigins: true,
    serviceKeys: unrestrictedKey(serviceKeys) === undefined ? [...serviceKeys, random()] : serviceKeys,
    anonymousChannels: anonymousChannels.length > 0 ? anonymousChannels : ['*'],
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
