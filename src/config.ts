import { readCommandLine } from './config/command-line.js'
import { readEnvironment } from './config/environment.js'
import { type FileSource, readConfigFile } from './config/file.js'
import { type KeyFile, readKeyFile, readText, unreadable } from './config/key-file.js'
import type { Option } from './config/option.js'
import { options, type Settings, type SiteSettings, table } from './config/options.js'
import { quote, refusal } from './config/problem.js'
import { conflicts } from './config/rules.js'
import { defaultSite } from './config/site-name.js'
import { type Given, nothing, type SiteSource, type Source } from './config/source.js'

export type { Address } from './config/network.js'
export type { Option } from './config/option.js'
export { options } from './config/options.js'
export { helpText, optionsMarkdown } from './config/page.js'
export { defaultSite } from './config/site-name.js'

/** What one site is made from: its own options, and those of the server that bound it. */
export interface SiteConfig extends Readonly<SiteSettings> {
  /** Pages on localhost, on any port, may connect beside those of `allowOrigins`. Follows from `--dev`. */
  readonly allowLocalOrigins: boolean
}

/** A site and what it is called: in addresses, in the `aud` of grants, in the log. */
export interface NamedSite {
  readonly name: string
  readonly config: SiteConfig
}

/**
 * The resolved configuration, deeply frozen. The properties and their meanings are the rows of the table in
 * `config/*-options.ts`. Durations are milliseconds (`…Ms`), sizes bytes (`…Bytes`); 0 means what the
 * option's `limits` say. The options of a site are those of the one that is called `default`.
 */
export interface Config extends SiteConfig, Readonly<Omit<Settings, 'configFile' | 'serviceKeyFile'>> {
  /** The sites beside the default one; a file alone can hold them. */
  readonly sites: readonly NamedSite[]
}

/** All sites, the default one first. There is none by that name where others are configured and it has no service key. */
export function allSites(config: Config): readonly NamedSite[] {
  const hasDefault = config.sites.length === 0 || config.serviceKeys.length > 0
  return hasDefault ? [{ name: defaultSite, config }, ...config.sites] : config.sites
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
  const file = readNamedFile(strong, readFile)
  const sources = [...strong, file]
  const given = sources.flatMap(source => source.given)
  const settings = settle(given)
  const keyFile = readNamedKeys(given, readFile)
  const serviceKeys = [...new Set([...settings.serviceKeys, ...keyFile.keys])]
  const top = { given, settings, keyFile, serviceKeys }
  const sites = file.sites.map(site => readSite(site, given, readFile))
  const problems = [
    ...sources.flatMap(source => source.problems),
    ...[top, ...sites].flatMap(each => ownProblems(each)),
    ...sharedSecrets([top, ...sites]),
  ]
  const isKeyless = serviceKeys.length === 0 && !settings.dev && !isKeyRefused(top)
  if (isKeyless && sites.length === 0) problems.push(noKey)
  if (isKeyless && sites.length > 0) problems.push(...ownerless(given))
  // What a site inherits is as wrong in each of them.
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])
  const config = {
    ...resolved(settings),
    serviceKeys,
    sites: sites.map(site => ({
      name: site.name,
      config: { ...resolved(site.settings), serviceKeys: site.serviceKeys, allowLocalOrigins: settings.dev },
    })),
  }
  return deepFreeze(settings.dev ? forDevelopment(config, random) : config)
}

/**
 * The defaults, frozen, with some of them replaced. For tests and for programs that embed the server: the
 * overrides are not checked, and `dev` implies nothing. There is no service key unless one is given.
 */
export function defaults(overrides: Partial<Config> = {}): Config {
  return deepFreeze(structuredClone({ ...resolved(settle([])), sites: [], ...overrides }))
}

/** What was given for one site, and what it comes to. */
interface Reading {
  /** Strongest first; what is inherited comes last. */
  readonly given: readonly Given[]
  readonly settings: Settings
  readonly keyFile: KeyFile
  readonly serviceKeys: readonly string[]
  /** The section of the file; undefined: this is the top level. */
  readonly section?: SiteSource
}

function readSite(section: SiteSource, top: readonly Given[], readFile: ConfigInput['readFile']) {
  const given = [...section.given, ...top.filter(({ option }) => !option.isOwn)]
  const settings = settle(given)
  const keyFile = readNamedKeys(given, readFile)
  const serviceKeys = [...new Set([...settings.serviceKeys, ...keyFile.keys])]
  return { name: section.name, section, given, settings, keyFile, serviceKeys }
}

function ownProblems(reading: Reading): readonly string[] {
  const { section, given, settings, keyFile, serviceKeys } = reading
  const problems = [
    ...(section?.problems ?? []),
    ...(section?.given ?? given).flatMap(refusals),
    ...keyFile.problems,
    ...conflicts(settings, property => label(table[property], given)),
  ]
  if (section !== undefined && serviceKeys.length === 0 && !isKeyRefused(reading)) {
    problems.push(`${section.source}: no service key: give it one by serviceKey or serviceKeyFile`)
  }
  return problems
}

function isKeyRefused({ keyFile, given }: Reading): boolean {
  return keyFile.problems.length > 0 || label(table.serviceKeys, given) === undefined
}

/** A secret that opens two sites would keep neither apart from the other. */
function sharedSecrets(readings: readonly Reading[]): string[] {
  const owners = new Map<unknown, { reading: Reading; source: string }>()
  const problems: string[] = []
  for (const reading of readings) {
    for (const [source, secret] of secretsOf(reading)) {
      const owner = owners.get(secret)
      if (owner === undefined) owners.set(secret, { reading, source })
      else if (owner.reading !== reading) {
        problems.push(`${source}: has a secret that ${owner.source} has, too; each site must have its own`)
      }
    }
  }
  return problems
}

function secretsOf({ given, keyFile }: Reading): [string, unknown][] {
  const secrets = options
    .filter(option => option.isSecret)
    .flatMap(option => {
      const values = [strongestValue(option, given)].flat().filter(value => value !== undefined)
      return values.map((value): [string, unknown] => [label(option, given) ?? '', value])
    })
  const file = label(table.serviceKeyFile, given) ?? ''
  return [...secrets, ...keyFile.keys.map((key): [string, unknown] => [file, key])]
}

/** What was said of a site that is not there. */
function ownerless(given: readonly Given[]): readonly string[] {
  return given
    .filter(({ option }) => option.isOwn)
    .map(
      ({ source }) =>
        `${source}: is of the site at the top level, which is not served without a service key; ` +
        'give it one, or move this into the sites',
    )
}

const noKey =
  'no service key: give one by --service-key, --service-key-file, DOWNPIPE_SERVICE_KEY or serviceKey in the file (--dev makes one)'

function readNamedFile(strong: readonly Source[], readFile: ConfigInput['readFile']): FileSource {
  const given = strong.flatMap(source => source.given)
  const path = strongestValue(table.configFile, given)
  if (path === undefined) return { ...nothing, sites: [] }
  const text = readText(path, readFile)
  if (typeof text === 'string') return readConfigFile(path, text)
  const problem = `${label(table.configFile, given)}: ${quote(path)}: ${unreadable(text)}`
  return { given: [], problems: [problem], sites: [] }
}

function readNamedKeys(given: readonly Given[], readFile: ConfigInput['readFile']): KeyFile {
  const path = strongestValue(table.serviceKeyFile, given)
  const source = label(table.serviceKeyFile, given)
  return path === undefined || source === undefined
    ? { keys: [], problems: [] }
    : readKeyFile(source, path, readFile)
}

/** The strongest value; the default where none is given or the given one is refused. */
export function strongestValue<T>(option: Option<T>, given: readonly Given[]): T {
  const strongest = given.find(candidate => candidate.option === option)
  if (strongest === undefined) return option.default
  const reading = option.read(strongest.items)
  return reading.ok ? reading.value : option.default
}

/** How the strongest value's source is named in a problem; undefined if the value is refused. */
export function label(option: Option, given: readonly Given[]): string | undefined {
  const strongest = given.find(candidate => candidate.option === option)
  if (strongest === undefined) return `--${option.name} (by default)`
  return option.read(strongest.items).ok ? strongest.source : undefined
}

/** What the options come to. */
export function settle(given: readonly Given[]): Settings {
  const entries = Object.entries<Option>(table).map(([property, option]) => [
    property,
    strongestValue(option, given),
  ])
  // Each property has the type of its own row, which the compiler cannot follow through a loop.
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Settings
}

/** What is wrong with the values that were given for an option. */
export function refusals({ option, source, items }: Given): string[] {
  const reading = option.read(items)
  if (reading.ok) return []
  return reading.refused.map(index => {
    const shown = option.isSecret ? `value ${index + 1}` : quote(items[index] ?? '')
    return refusal(option, source, shown)
  })
}

function resolved({ configFile, serviceKeyFile, ...settings }: Settings): Omit<Config, 'sites'> {
  return { ...settings, allowLocalOrigins: false }
}

function forDevelopment(config: Config, random: ConfigInput['random']): Config {
  const { serviceKeys, anonymousChannels } = config
  return {
    ...config,
    allowLocalOrigins: true,
    serviceKeys: serviceKeys.length > 0 ? serviceKeys : [random()],
    anonymousChannels: anonymousChannels.length > 0 ? anonymousChannels : ['*'],
  }
}

/** Freezes the value and what it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
