import { isRecord } from '../record.js'
import type { Option } from './option.js'
import { fileKey, options, siteOptions, table } from './options.js'
import { printable, quote, refusal, unknownName } from './problem.js'
import { defaultSite, isSiteName, siteNameForm } from './site-name.js'
import { type Item, itemsOf, JsonItem, type SiteSource, type Source } from './source.js'

// A file cannot name the file.
const byKey = new Map(
  options.filter(option => option !== table.configFile).map(option => [fileKey(option), option]),
)
const bySiteKey = new Map(siteOptions.map(option => [fileKey(option), option]))

/** What a configuration file holds. */
export interface FileSource extends Source {
  /** The sections of `sites`. */
  readonly sites: readonly SiteSource[]
}

/**
 * Reads a configuration file: one JSON object. The parser's message about broken JSON is not passed on, since
 * it quotes the text around the fault, which may be a key.
 */
export function readConfigFile(path: string, text: string): FileSource {
  const json = text.replace(/^\uFEFF/, '')
  const content = parse(json)
  if (content instanceof Error) return failed(`${path}: is not valid JSON${place(content.message, json)}`)
  if (!isRecord(content)) return failed(`${path}: must hold one JSON object, such as {"heartbeat": "25s"}`)
  const { sites = {}, ...top } = content
  const { given, problems } = readEntries(path, '', top, byKey)
  if (isRecord(sites)) {
    return { given, problems, sites: Object.entries(sites).map(site => readSite(path, ...site)) }
  }
  const problem = `sites in ${path}: must hold one JSON object, such as {"blog": {"serviceKeyFile": "/etc/blog.key"}}`
  return { given, problems: [...problems, problem], sites: [] }
}

function readSite(path: string, name: string, section: unknown): SiteSource {
  const prefix = `sites.${printable(name)}`
  const source = `${prefix} in ${path}`
  const misnamed =
    name === defaultSite
      ? [`${source}: this is the name of the site that the top level describes; take another`]
      : isSiteName(name)
        ? []
        : [`${source}: is not allowed as a name; it must be ${siteNameForm}`]
  const content = isRecord(section)
    ? readEntries(path, `${prefix}.`, section, bySiteKey)
    : failed(`${source}: must hold one JSON object of options`)
  return { name, source, given: content.given, problems: [...misnamed, ...content.problems] }
}

function readEntries(path: string, prefix: string, section: object, known: typeof byKey): Source {
  const entries = Object.entries<unknown>({ ...section }).map(([key, value]) =>
    readEntry(`${prefix}${printable(key)} in ${path}`, key, value, known),
  )
  return { given: entries.flatMap(entry => entry.given), problems: entries.flatMap(entry => entry.problems) }
}

function readEntry(source: string, key: string, value: unknown, known: typeof byKey): Source {
  const option = known.get(key)
  if (option === undefined && byKey.has(key)) {
    return failed(`${source}: is an option of the whole server; a site cannot have its own`)
  }
  if (option === undefined) return failed(unknownName(source, key, [...known.keys()]))
  const isArray = option.isList && Array.isArray(value)
  const values: readonly unknown[] = isArray ? value : [value]
  const wrong = values.filter(item => !option.json.some(type => type === typeof item))
  if (wrong.length > 0) return failed(...wrong.map(item => refusal(option, source, describe(option, item))))
  const items =
    isArray || typeof value === 'object'
      ? values.map(item => itemOf(option, item))
      : itemsOf(option, String(value))
  return { given: [{ option, source, items }], problems: [] }
}

/** One value of an option as a JSON file holds it. */
export function itemOf(option: Option, value: unknown): Item {
  return option.jsonItemWhat === undefined ? String(value).trim() : new JsonItem(value)
}

function describe(option: Option, value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object'
  return option.isSecret ? `a ${typeof value}` : quote(String(value))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}

function place(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position === undefined) return ''
  const before = text.slice(0, Number(position)).split('\n')
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`
}

function failed(...problems: readonly string[]): FileSource {
  return { given: [], problems, sites: [] }
}
