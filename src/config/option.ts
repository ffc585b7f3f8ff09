import { flag, type JsonType, type Kind } from './kind.js'
import { type Item, JsonItem } from './source.js'

/**
 * What came of reading an option's value: the value, or which of its items (counted from 0) are not allowed.
 */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refused: readonly number[] }

/** One option: a row of the table that parsing, help and documentation are made from. */
export interface Option<T = unknown> {
  /** The name on the command line, without the dashes: `max-data`. The other spellings follow from it. */
  readonly name: string
  /** Meaning, and which accident or attack a limit stops. */
  readonly doc: string
  /** Stands for the value in the help text; empty for a flag. */
  readonly placeholder: string
  /** What a value looks like. */
  readonly what: string
  /** Its range, and what 0 means; may be empty. */
  readonly limits: string
  /** What it may be in a JSON file (in a list: each item). */
  readonly json: readonly JsonType[]
  /** What an item of a list in a JSON file looks like, where it may say more than a word elsewhere. */
  readonly jsonItemWhat: string | undefined
  /** Takes no value on the command line. */
  readonly isFlag: boolean
  /** May be given several times, or separated by commas. */
  readonly isList: boolean
  /** The value must never be shown. */
  readonly isSecret: boolean
  /** The value when nobody gives one. */
  readonly default: T
  /** The default as a person would write it; `none` where there is none. */
  readonly defaultText: string
  /** Reads the trimmed items: exactly one, unless `isList`. Never throws. */
  readonly read: (items: readonly Item[]) => Reading<T>
}

/** What a row says that its kind does not. */
export interface Spec {
  readonly name: string
  readonly doc: string
  readonly isSecret?: boolean
}

/** An option with one value and a default. Throws if the default is not allowed: then the table is wrong. */
export function one<T>(kind: Kind<T>, spec: Spec & { readonly default: string }): Option<T> {
  const value = kind.parse(spec.default)
  if (value === undefined) throw new Error(`the default of --${spec.name} is not allowed`)
  return {
    ...row(kind, spec),
    default: value,
    defaultText: spec.default,
    read: items => readOne(kind, items),
  }
}

/** An option that is off until it is given; on the command line its name alone is enough. */
export function toggle(spec: Spec): Option<boolean> {
  return { ...one(flag, { ...spec, default: 'false' }), placeholder: '', isFlag: true }
}

/** An option with one value that may be missing. */
export function maybe<T>(kind: Kind<T>, spec: Spec): Option<T | undefined> {
  return { ...row(kind, spec), default: undefined, defaultText: 'none', read: items => readOne(kind, items) }
}

/** An option with any number of values; none by default, or one. Throws if the default is not allowed. */
export function many<T>(kind: Kind<T>, spec: Spec & { readonly default?: string }): Option<readonly T[]> {
  const reading = readMany(kind, spec.default === undefined ? [] : [spec.default])
  if (!reading.ok) throw new Error(`the default of --${spec.name} is not allowed`)
  return {
    ...row(kind, spec),
    isList: true,
    default: reading.value,
    defaultText: spec.default ?? 'none',
    read: items => readMany(kind, items),
  }
}

/** Reads a list, each item by itself; equal items count once. */
export function readMany<T>(kind: Kind<T>, items: readonly Item[]): Reading<readonly T[]> {
  const values: T[] = []
  const refused: number[] = []
  for (const [index, item] of items.entries()) {
    const value = readItem(kind, item)
    if (value === undefined) refused.push(index)
    else if (items.indexOf(item) === index) values.push(value)
  }
  return refused.length === 0 ? { ok: true, value: values } : { ok: false, refused }
}

function readOne<T>(kind: Kind<T>, items: readonly Item[]): Reading<T> {
  const value = items[0] === undefined ? undefined : readItem(kind, items[0])
  return value === undefined ? { ok: false, refused: [0] } : { ok: true, value }
}

function readItem<T>(kind: Kind<T>, item: Item): T | undefined {
  return item instanceof JsonItem ? kind.jsonItem?.parse(item.value) : kind.parse(item)
}

function row<T>(kind: Kind<T>, { name, doc, isSecret = false }: Spec) {
  const { placeholder, what, limits, json } = kind
  // Written over several lines in the table.
  const line = doc.replaceAll(/\s+/g, ' ')
  return {
    name,
    doc: line,
    placeholder,
    what,
    limits,
    json,
    jsonItemWhat: kind.jsonItem?.what,
    isFlag: false,
    isList: false,
    isSecret,
  }
}
