import type { Kind } from './kind.js'

/** What a quantity may be. The bounds are written as a person writes them, since the help repeats them. */
export interface Limits {
  readonly min: string
  readonly max: string
  /** Where 0 is allowed although it is below `min`, or means something special: what it means. */
  readonly zero?: string
}

const milliseconds = new Map([
  ['', 1000],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

const bytes = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
])

const ones = new Map([['', 1]])

/**
 * A time: `250ms`, `25s`, `5m`, `1h`; a bare number is seconds. The value is in milliseconds.
 * Keep `max` below 24 days: a timer of Node's that is set for longer (2^31 ms) fires at once.
 */
export function duration(limits: Limits): Kind<number> {
  return quantity('DURATION', 'a duration such as 250ms, 25s, 5m or 1h', milliseconds, limits)
}

/**
 * An amount of memory: `64KB`, `1MB`, `2GB`, in steps of 1024; a bare number is bytes. The value is in bytes.
 */
export function size(limits: Limits): Kind<number> {
  return quantity('SIZE', 'a size such as 500, 64KB, 1MB or 2GB', bytes, limits)
}

/** A whole number. */
export function integer(limits: Limits): Kind<number> {
  return quantity('NUMBER', 'a whole number', ones, limits)
}

/** A size as one writes it: in the largest unit that leaves no fraction. */
export function formatSize(value: number): string {
  const largest = [...bytes].findLast(([, factor]) => value >= factor && value % factor === 0)
  if (largest === undefined) return String(value)
  const [unit, factor] = largest
  return factor === 1 ? String(value) : `${value / factor}${unit.toUpperCase()}`
}

function quantity(
  placeholder: string,
  what: string,
  units: ReadonlyMap<string, number>,
  { min, max, zero }: Limits,
): Kind<number> {
  const lowest = measure(min, units) ?? Number.NaN
  const highest = measure(max, units) ?? Number.NaN
  return {
    placeholder,
    what,
    limits: `${min} to ${max}${zero === undefined ? '' : `, or 0: ${zero}`}`,
    json: ['number', 'string'],
    parse: text => {
      const value = measure(text, units)
      if (value === undefined) return undefined
      if (value === 0 && zero !== undefined) return 0
      return value >= lowest && value <= highest ? value : undefined
    },
  }
}

function measure(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? []
  const factor = units.get(unit?.toLowerCase() ?? '')
  if (digits === undefined || factor === undefined) return undefined
  const exact = Number(digits) * factor
  const value = Math.round(exact)
  // 1.1s is 1100.0000000000002 ms; 0.0001s, on the other hand, must not silently become 0, which may mean "off".
  return Number.isSafeInteger(value) && Math.abs(exact - value) < 1e-6 ? value : undefined
}
