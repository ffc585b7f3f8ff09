import type { Option } from './option.js'

/** Long enough to recognise a value, short enough for a line of a log. */
const longestShown = 80

/**
 * Why a value of an option is refused. `shown` is what is named: a quoted value, or what may be said instead
 * of it.
 */
export function refusal(option: Option, source: string, shown: string): string {
  return `${source}: ${shown} is not allowed; it must be ${allowed(option)}`
}

/** Why an item of a list in a JSON file is refused, where it may say more than a word. */
export function itemRefusal(option: Option, source: string, shown: string): string {
  return `${source}: ${shown} is not allowed; it must be ${option.jsonItemWhat ?? allowed(option)}`
}

/** Why an option that stands there without a value is refused. */
export function missing(option: Option, source: string): string {
  return `${source}: has no value; it must be ${allowed(option)}`
}

function allowed({ what, limits }: Option): string {
  return limits === '' ? what : `${what}, from ${limits}`
}

/**
 * A value for a message: in quotes, escaped and cut off. What may be a password or a token in a URL is left
 * out, since problems end up in logs.
 */
export function quote(text: string): string {
  return JSON.stringify(cut(text.replace(/.*@/s, '…@').replace(/\?.*/s, '?…')))
}

/** A name for a message: a made-up one may hold control characters, or be very long. */
export function printable(name: string): string {
  return cut(name.replace(/\p{C}/gu, '\uFFFD'))
}

function cut(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}

/** Why a name is refused, with the known name that was probably meant. */
export function unknownName(source: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return `${source}: unknown option${near === undefined ? '' : `; did you mean ${near}?`}`
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = letters(cut(name))
  const near = known
    .map(candidate => ({ candidate, letters: letters(candidate) }))
    .map(({ candidate, letters }) => ({ candidate, letters, steps: distance(wanted, letters) }))
    .filter(({ letters, steps }) => steps <= (wanted.length < 4 ? 1 : 2) || isPart(wanted, letters))
  return near.sort((one, other) => one.steps - other.steps)[0]?.candidate
}

/** maxData, MAX_DATA and max-data are one name. */
function letters(name: string): string {
  return name
    .replace(/^DOWNPIPE_/, '')
    .replace(/[^a-z\d]/gi, '')
    .toLowerCase()
}

/** `heartbeatMs` for `heartbeat`, `window` for `window-age`, `origin` for `allow-origin`. */
function isPart(one: string, other: string): boolean {
  const [long, short] = one.length > other.length ? [one, other] : [other, one]
  return short.length >= 4 && (long.startsWith(short) || long.endsWith(short))
}

/** Levenshtein's distance. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1]
    for (const [column, otherLetter] of [...other].entries()) {
      const replaced = at(row, column) + (letter === otherLetter ? 0 : 1)
      next.push(Math.min(replaced, at(row, column + 1) + 1, at(next, column) + 1))
    }
    row = next
  }
  return at(row, other.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
