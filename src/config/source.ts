import type { Option } from './option.js'

/** An option that somebody has given. */
export interface Given {
  readonly option: Option
  /**
   * How it is written there, for messages: `--heartbeat`, `DOWNPIPE_HEARTBEAT`, `heartbeat in
   * /etc/downpipe.json`.
   */
  readonly source: string
  /** The trimmed values; one, unless the option is a list. */
  readonly items: readonly Item[]
}

/** An item that a JSON file holds in a form of its own. */
export class JsonItem {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** One value: a word, or what a JSON file may hold in place of one. */
export type Item = string | JsonItem

/** What one source (command line, environment, file) holds; only the names have been checked. */
export interface Source {
  readonly given: readonly Given[]
  readonly problems: readonly string[]
}

/** A source that holds nothing. */
export const nothing: Source = { given: [], problems: [] }

/**
 * The items of a value as it is written on a command line or in the environment: commas separate those of a
 * list.
 */
export function itemsOf(option: Option, text: string): string[] {
  if (!option.isList) return [text.trim()]
  return text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}
