import type { Option } from './option.js'
import { fileKey, options, table } from './options.js'
import { printable, quote, refusal, unknownName } from './problem.js'
import { type Item, itemsOf, JsonItem, type Source } from './source.js'

// A file cannot name the file.
const byKey = new Map(
  options.filter(option => option !== table.configFile).map(option => [fileKey(option), option]),
)

/**
 * Reads a configuration file: one JSON object. The parser's message about broken JSON is not passed on, since
 * it quotes the text around the fault, which may be a key.
 */
export function readConfigFile(path: string, text: string): Source {
  const json = text.replace(/^\uFEFF/, '')
  const content = parse(json)
  if (content instanceof Error) return failed(`${path}: is not valid JSON${place(content.message, json)}`)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return failed(`${path}: must hold one JSON object, such as {"heartbeat": "25s"}`)
  }
  const entries = Object.entries<unknown>({ ...content }).map(([key, value]) => readEntry(path, key, value))
  return { given: entries.flatMap(entry => entry.given), problems: entries.flatMap(entry => entry.problems) }
}

function readEntry(path: string, key: string, value: unknown): Source {
  const source = `${printable(key)} in ${path}`
  const option = byKey.get(key)
  if (option === undefined) return failed(unknownName(source, key, [...byKey.keys()]))
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

function itemOf(option: Option, value: unknown): Item {
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

function failed(...problems: readonly string[]): Source {
  return { given: [], problems }
}
