import type { Option } from './option.js'
import { type Settings, table } from './options.js'
import { itemRefusal, quote, refusal } from './problem.js'
import type { Given } from './source.js'

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
    const item = items[index] ?? ''
    if (typeof item !== 'string') return itemRefusal(option, source, `value ${index + 1}`)
    return refusal(option, source, option.isSecret ? `value ${index + 1}` : quote(item))
  })
}
