import { addFaults, type Faults, faultTotal, NO_FAULTS } from '../load/faults.js'
import { addEfforts, type Effort, isLoadBound } from '../rig/effort.js'
import type { FigureSpec, Goal, Measurement } from '../scenarios/scenario.js'
import { type Spread, spread } from '../statistics.js'

/** The server that is ours: ratios are its figures over those of the others. */
export const OURS = 'downpipe'

/** What each server did, round by round. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>

/** A figure of one server over all rounds. */
export interface FigureOfServer extends Spread {
  /** The load was the limit: see {@link FigureSpec.whenLoadBound}. */
  readonly limit: 'server' | 'load'
  /** Whether it may be used. */
  readonly isValid: boolean
  /** Ours over this server's, within each round; absent for ours, and when ours was not measured. */
  readonly ratio?: Spread
}

/** A line of the table. */
export interface FigureSummary extends FigureSpec {
  /** By name of the server. */
  readonly servers: Readonly<Record<string, FigureOfServer>>
  /** What became of each of its goals. */
  readonly verdicts: readonly Verdict[]
}

/** Whether a goal was reached; `undefined` if what it compares was not measured. */
export interface Verdict {
  readonly goal: Goal
  readonly isReached: boolean | undefined
}

/** What came of a scenario. */
export interface Summary {
  readonly figures: readonly FigureSummary[]
  /** By part and server, all rounds together. */
  readonly efforts: Readonly<Record<string, Readonly<Record<string, Effort>>>>
  readonly faults: Readonly<Record<string, Faults>>
  /** What went wrong at subscribers, a line for each server. Empty, or the run has failed. */
  readonly failures: readonly string[]
  /** Which figures are invalid because the load was the bottleneck. */
  readonly refusals: readonly string[]
}

/** Sums up a scenario's rounds. */
export function summarize(specs: readonly FigureSpec[], rounds: Rounds): Summary {
  const figures = specs.map(spec => summarizeFigure(spec, rounds))
  const faults = byServer(rounds, all => all.map(one => one.faults).reduce(addFaults, NO_FAULTS))
  const parts = new Set([...rounds.values()].flat().flatMap(one => Object.keys(one.efforts)))
  const efforts = Object.fromEntries([...parts].map(part => [part, effortsIn(rounds, part)]))
  return { figures, efforts, faults, failures: failuresIn(faults), refusals: refusalsIn(figures) }
}

function summarizeFigure(spec: FigureSpec, rounds: Rounds): FigureSummary {
  const ours = valuesOf(rounds.get(OURS) ?? [], spec.name)
  const servers: Record<string, FigureOfServer> = {}
  for (const [name, all] of rounds) {
    const values = valuesOf(all, spec.name)
    // A server that cannot be asked for it has no such figure.
    if (values.every(Number.isNaN)) continue
    const isBound = spec.part !== undefined && effortsOf(all, spec.part).some(isLoadBound)
    const ratios = values.flatMap((value, round) => {
      const own = ours[round]
      return own === undefined ? [] : [own / value]
    })
    servers[name] = {
      ...spread(values),
      limit: isBound ? 'load' : 'server',
      isValid: !isBound || mayBeBound(spec, name),
      ...(name === OURS || ratios.length === 0 ? {} : { ratio: spread(ratios) }),
    }
  }
  const verdicts = (spec.goals ?? []).map(goal => ({ goal, isReached: reaches(goal, servers) }))
  return { ...spec, servers, verdicts }
}

/** Whether a figure that says how fast the load was may be shown as a bound: not if it would flatter us where a goal compares. */
function mayBeBound({ whenLoadBound, goals = [] }: FigureSpec, server: string): boolean {
  if (server === OURS) return whenLoadBound === 'bound'
  return !goals.some(goal => goal.kind !== 'at-most' && goal.to === server)
}

function reaches(goal: Goal, servers: Readonly<Record<string, FigureOfServer>>): boolean | undefined {
  if (goal.kind === 'at-most') {
    const ours = servers[OURS]
    return ours === undefined ? undefined : ours.median <= goal.value
  }
  const ratio = servers[goal.to]?.ratio
  if (ratio === undefined) return undefined
  return goal.kind === 'ratio-at-least' ? ratio.median >= goal.value : ratio.median <= goal.value
}

function failuresIn(faults: Readonly<Record<string, Faults>>): string[] {
  return Object.entries(faults).flatMap(([server, counts]) => {
    if (faultTotal(counts) === 0) return []
    const list = Object.entries(counts).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} ${kind}`]))
    return [`${server}: ${list.join(', ')}`]
  })
}

function refusalsIn(figures: readonly FigureSummary[]): string[] {
  const refusals = figures.flatMap(({ part, servers }) =>
    Object.entries(servers).flatMap(([server, { isValid }]) =>
      isValid ? [] : [`${server}: the load was the bottleneck (${part})`],
    ),
  )
  return [...new Set(refusals)]
}

function valuesOf(all: readonly Measurement[], figure: string): number[] {
  return all.map(one => one.values[figure] ?? Number.NaN)
}

function effortsOf(all: readonly Measurement[], part: string): Effort[] {
  return all.flatMap(one => one.efforts[part] ?? [])
}

/** Those that have the part. */
function effortsIn(rounds: Rounds, part: string): Record<string, Effort> {
  const efforts = [...rounds].map(([name, all]) => [name, effortsOf(all, part)] as const)
  return Object.fromEntries(
    efforts.filter(([, all]) => all.length > 0).map(([name, all]) => [name, addEfforts(all)]),
  )
}

function byServer<Value>(rounds: Rounds, of: (all: readonly Measurement[]) => Value): Record<string, Value> {
  return Object.fromEntries([...rounds].map(([name, all]) => [name, of(all)]))
}
