import { type Effort, loadShare, othersShare, serverShare } from '../rig/effort.js'
import { figureText, goalText, ratioText, verdictText } from './figure-text.js'
import { type FigureSummary, OURS, type Summary } from './summary.js'

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
  const label = ({ name, unit }: FigureSummary) => `${name}, ${unit}`
  const figures = summary.figures.map(figure => [
    label(figure),
    ...servers.map(name => figureText(figure, name)),
    options.verdicts ? goals(figure) : '',
  ])
  const ratios = summary.figures.map(figure => [
    `  ${figure.name}`,
    ...others.map(name => ratioText(figure, name)),
  ])
  return [
    ...alignColumns([['', ...servers, options.verdicts ? 'goals' : ''], ...figures]),
    '',
    ...(others.length === 0 ? [] : [...alignColumns([[`${OURS} /`, ...others], ...ratios]), '']),
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

function goals({ verdicts, unit }: FigureSummary): string {
  return verdicts.map(verdict => `${goalText(verdict.goal, unit)}: ${verdictText(verdict)}`).join(', ')
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
