import { unrestrictedKey } from './auth/service-key.js'
import { readCommandLine } from './config/command-line.js'
import { readEnvironment } from './config/environment.js'
import { type FileSource, readConfigFile } from './config/file.js'
import { readText, unreadable } from './config/key-file.js'
import { type Settings, type SiteSettings, table } from './config/options.js'
import { quote } from './config/problem.js'
import { isKeyRefused, ownerless, ownProblems, readLevel, readSite, sharedSecrets } from './config/reading.js'
import { label, settle, strongestValue } from './config/settle.js'
import { defaultSite } from './config/site-name.js'
import { nothing, type Source } from './config/source.js'

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
  const top = readLevel(given, readFile)
  const { settings, serviceKeys } = top
  const sites = file.sites.map(section => readSite(section, given, readFile))
  const problems = [
    ...sources.flatMap(source => source.problems),
    ...[top, ...sites].flatMap(ownProblems),
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

function resolved({ configFile, serviceKeyFile, ...settings }: Settings): Omit<Config, 'sites'> {
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

/** Freezes the value and what it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
