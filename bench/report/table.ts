import { type Effort, loadShare, othersShare, serverShare } from '../rig/effort.js'
import type { Goal } from '../scenarios/scenario.js'
import type { Spread } from '../statistics.js'
import { type FigureOfServer, type FigureSummary, OURS, type Summary } from './summary.js'

/** More than this of a core that others had, and the run is better repeated. */
const NOISE = 0.05

/**
 * A summary for people: one line a figure, medians with the extremes of the rounds in brackets.
 *
 * @param options.verdicts whether to say which goals were reached, and what disturbed the run
 */
export function formatSummary(summary: Summary, options: { readonly verdicts: boolean }): string {
  const servers = Object.keys(summary.faults)
  const others = servers.filter(name => name !== OURS && servers.includes(OURS))
  const head = ['', ...servers, ...others.map(name => `${OURS} / ${name}`), options.verdicts ? 'goals' : '']
  const rows = summary.figures.map(figure => [
    `${figure.name}, ${figure.unit}`,
    ...servers.map(name => formatFigure(figure.servers[name], figure)),
    ...others.map(name => formatRatio(figure.servers[name]?.ratio)),
    options.verdicts ? formatGoals(figure) : '',
  ])
  return [
    ...alignColumns([head, ...rows]),
    '',
    'busy, % of the time: server / load, in all rounds together',
    ...alignColumns(
      Object.entries(summary.efforts).map(([part, efforts]) => [
        `  ${part}`,
        ...servers.map(name => formatEffort(efforts[name])),
      ]),
    ),
    ...(options.verdicts ? noise(summary) : []),
    '',
    ...verdict(summary),
  ].join('\n')
}

function formatFigure(figure: FigureOfServer | undefined, { better }: FigureSummary): string {
  if (figure === undefined) return ''
  if (!figure.isValid) return 'invalid'
  const mark = figure.limit === 'server' ? '' : better === 'higher' ? '≥ ' : '≤ '
  return mark + formatSpread(figure)
}

function formatSpread({ median, min, max }: Spread): string {
  const format = (value: number) =>
    value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 })
  return min === max ? format(median) : `${format(median)} (${format(min)}–${format(max)})`
}

function formatRatio(ratio: Spread | undefined): string {
  if (ratio === undefined) return ''
  const format = (value: number) => value.toPrecision(value < 0.1 ? 1 : 2)
  const { median, min, max } = ratio
  const one = (value: number) => (value >= 99.5 ? value.toFixed(0) : format(value))
  return min === max ? one(median) : `${one(median)} (${one(min)}–${one(max)})`
}

function formatGoals({ verdicts, unit }: FigureSummary): string {
  return verdicts
    .map(({ goal, isReached }) => {
      const verdict = isReached === undefined ? 'not compared' : isReached ? 'reached' : 'MISSED'
      return `${goalText(goal, unit)}: ${verdict}`
    })
    .join(', ')
}

function goalText(goal: Goal, unit: string): string {
  if (goal.kind === 'at-most') return `≤ ${goal.value} ${unit}`
  return `${goal.kind === 'ratio-at-least' ? '≥' : '≤'} ${goal.value} × ${goal.to}`
}

function formatEffort(effort: Effort | undefined): string {
  if (effort === undefined) return ''
  const percent = (share: number) => Math.round(100 * share)
  return `${percent(serverShare(effort))} / ${percent(loadShare(effort))} in ${(effort.wallMicros / 1e6).toFixed(1)} s`
}

function noise({ efforts }: Summary): string[] {
  return Object.entries(efforts).flatMap(([part, byServer]) =>
    Object.entries(byServer).flatMap(([server, effort]) =>
      (['server', 'load'] as const).flatMap(core => {
        const share = othersShare(effort, core)
        if (share < NOISE) return []
        return [`  ${part}, ${server}: others took ${Math.round(100 * share)} % of the ${core}'s core`]
      }),
    ),
  )
}

function verdict({ failures, refusals }: Summary): string[] {
  const indent = (lines: readonly string[]) => lines.map(line => `  ${line}`)
  return [
    ...(failures.length === 0
      ? ['Nothing was lost, duplicated or out of order at any subscriber.']
      : ['FAILED', ...indent(failures)]),
    ...(refusals.length === 0 ? [] : ['INVALID', ...indent(refusals)]),
  ]
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map(row => row[column]?.length ?? 0))
  return rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))))
      .join('   ')
      .trimEnd(),
  )
}
