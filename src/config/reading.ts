import type { ServiceKey } from '../auth/service-key.js'
import { type KeyFile, readKeyFile } from './key-file.js'
import { options, type Settings, table } from './options.js'
import { conflicts, keyConflicts } from './rules.js'
import { label, refusals, settle, strongestValue } from './settle.js'
import type { Given, SiteSource } from './source.js'

/** Returns a file's text, or throws. */
type ReadFile = (path: string) => string

/** What was given for one site, and what it comes to. */
export interface Reading {
  /** Strongest first; what is inherited comes last. */
  readonly given: readonly Given[]
  readonly settings: Settings
  readonly keyFile: KeyFile
  readonly serviceKeys: readonly ServiceKey[]
  /** The section of the file; undefined: this is the top level. */
  readonly section?: SiteSource
}

/** A site's reading, with its name. */
export interface SiteReading extends Reading {
  readonly name: string
}

/** What was given for the top level comes to, which also describes a site. */
export function readLevel(given: readonly Given[], readFile: ReadFile): Reading {
  const settings = settle(given)
  const keyFile = readNamedKeys(given, readFile)
  return { given, settings, keyFile, serviceKeys: [...new Set([...settings.serviceKeys, ...keyFile.keys])] }
}

/** What a site's section comes to, with what it inherits of what was given for the top level. */
export function readSite(section: SiteSource, top: readonly Given[], readFile: ReadFile): SiteReading {
  const given = [...section.given, ...top.filter(({ option }) => !option.isOwn)]
  return { name: section.name, section, ...readLevel(given, readFile) }
}

/** What is wrong with one site by itself. */
export function ownProblems(reading: Reading): readonly string[] {
  const { section, given, settings, keyFile, serviceKeys } = reading
  const problems = [
    ...(section?.problems ?? []),
    ...(section?.given ?? given).flatMap(refusals),
    ...keyFile.problems,
    ...conflicts(settings, keyFile.keys, property => label(table[property], given)),
    ...keyConflicts(
      serviceKeys,
      settings,
      property => label(table[property], given),
      section === undefined ? '' : `${section.source}: `,
    ),
  ]
  if (section !== undefined && serviceKeys.length === 0 && !isKeyRefused(reading)) {
    problems.push(`${section.source}: no service key: give it one by serviceKey or serviceKeyFile`)
  }
  return problems
}

/** Whether a key was given and refused, so that none is missing. */
export function isKeyRefused({ keyFile, given }: Reading): boolean {
  return keyFile.problems.length > 0 || label(table.serviceKeys, given) === undefined
}

/** A secret that opens two sites would keep neither apart from the other. */
export function sharedSecrets(readings: readonly Reading[]): string[] {
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
      return values.map((value): [string, unknown] => [label(option, given) ?? '', secretText(value)])
    })
  const file = label(table.serviceKeyFile, given) ?? ''
  return [...secrets, ...keyFile.keys.map((key): [string, unknown] => [file, secretText(key)])]
}

/** A restricted key is a secret with what it is for. */
function secretText(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'key' in value ? value.key : value
}

/** What was said of a site that is not there. */
export function ownerless(given: readonly Given[]): readonly string[] {
  return given
    .filter(({ option }) => option.isOwn)
    .map(
      ({ source }) =>
        `${source}: is of the site at the top level, which is not served without a service key; ` +
        'give it one, or move this into the sites',
    )
}

function readNamedKeys(given: readonly Given[], readFile: ReadFile): KeyFile {
  const path = strongestValue(table.serviceKeyFile, given)
  const source = label(table.serviceKeyFile, given)
  return path === undefined || source === undefined
    ? { keys: [], problems: [] }
    : readKeyFile(source, path, readFile)
}
