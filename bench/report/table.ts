import { type Effort, loadShare, othersShare, serverShare } from '../rig/effort.js'
import type { Goal } from '../scenarios/scenario.js'
import type { Spread } from '../statistics.js'
import { type FigureOfServer, type FigureSummary, OURS, type Summary } from './summary.js'

/** More than this on the server's core that was not the server, and the run is better repeated. */
const NOISE = 0.05

/** A summary for people: one line a figure, medians with the extremes of the rounds in brackets. */
export function formatSummary(summary: Summary): string {
  const servers = Object.keys(summary.faults)
  const others = servers.filter(name => name !== OURS && servers.includes(OURS))
  const head = ['', ...servers, ...others.map(name => `${OURS} / ${name}`), 'goal']
  const rows = summary.figures.map(figure => [
    `${figure.name}, ${figure.unit}`,
    ...servers.map(name => formatFigure(figure.servers[name], figure)),
    ...others.map(name => formatRatio(figure.servers[name]?.ratio)),
    formatGoal(figure),
  ])
  return [
    ...alignColumns([head, ...rows]),
    '',
    'busy, % of the time: server / load',
    ...alignColumns(
      Object.entries(summary.efforts).map(([part, efforts]) => [
        `  ${part}`,
        ...servers.map(name => formatEffort(efforts[name])),
      ]),
    ),
    ...noise(summary),
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

function formatGoal({ goal, isReached, unit }: FigureSummary): string {
  if (goal === undefined) return ''
  const verdict = isReached === undefined ? 'not compared' : isReached ? 'reached' : 'MISSED'
  return `${goalText(goal, unit)}: ${verdict}`
}

function goalText(goal: Goal, unit: string): string {
  if (goal.kind === 'at-most') return `≤ ${goal.value} ${unit}`
  return `${goal.kind === 'ratio-at-least' ? '≥' : '≤'} ${goal.value} × ${goal.to}`
}

function formatEffort(effort: Effort | undefined): string {
  if (effort === undefined) return ''
  return `${Math.round(100 * serverShare(effort))} / ${Math.round(100 * loadShare(effort))}`
}

function noise({ efforts }: Summary): string[] {
  return Object.entries(efforts).flatMap(([part, byServer]) =>
    Object.entries(byServer).flatMap(([server, effort]) => {
      const share = othersShare(effort)
      return share > NOISE
        ? [`  ${part}, ${server}: others took ${Math.round(100 * share)} % of the server's core`]
        : []
    }),
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
