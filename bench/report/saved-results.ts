import { readdirSync, readFileSync } from 'node:fs'
import type { Result } from './results.js'

/** What a folder of results holds. */
export interface SavedResults {
  /** Of each scenario, Node and way of steering the newest, in the order of their names. */
  readonly newest: readonly Result[]
  /** Which files say nothing, and why, a sentence each. */
  readonly leftOut: readonly string[]
}

/** Reads all results of a folder. Smoke runs, and those in which something was lost or invalid, are no claims and are left out. */
export function readSavedResults(folder: string): SavedResults {
  const newest = new Map<string, Result>()
  const leftOut: string[] = []
  const names = readdirSync(folder).filter(name => name.endsWith('.json'))
  for (const name of names.sort()) {
    const result: unknown = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'))
    const why = isResult(result) ? unfitness(result) : 'it is of another form'
    if (why !== undefined || !isResult(result)) {
      leftOut.push(`${name} is left out: ${why}`)
      continue
    }
    const key = variantOf(result)
    const other = newest.get(key)
    if (other === undefined || other.date < result.date) newest.set(key, result)
  }
  return {
    newest: [...newest].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, one]) => one),
    leftOut,
  }
}

/** Where and how a scenario was run, in words: `fan-out, Node 20, steered`. */
export function variantOf({ scenario, machine, load }: Result): string {
  const major = /\d+/.exec(machine.node)?.[0] ?? machine.node
  return `${scenario}, Node ${major}, ${load.isSteered ? 'steered' : 'not steered'}`
}

function unfitness({ parameters, summary: { failures, refusals } }: Result): string | undefined {
  if (parameters.smoke) return 'it is of a smoke run'
  if (failures.length > 0) return `its run has failed (${failures.join('; ')})`
  return refusals.length > 0 ? `it is invalid (${refusals.join('; ')})` : undefined
}

function isResult(value: unknown): value is Result {
  if (
    !hasAll(value, ['scenario', 'description', 'date', 'machine', 'load', 'servers', 'parameters', 'summary'])
  ) {
    return false
  }
  const { summary } = value
  if (!hasAll(summary, ['figures', 'efforts', 'faults', 'failures', 'refusals'])) return false
  return (
    Array.isArray(summary.figures) &&
    summary.figures.every(figure => hasAll(figure, ['name', 'unit', 'better', 'servers', 'verdicts']))
  )
}

function hasAll<Key extends string>(value: unknown, keys: readonly Key[]): value is Record<Key, unknown> {
  return typeof value === 'object' && value !== null && keys.every(key => key in value)
}
