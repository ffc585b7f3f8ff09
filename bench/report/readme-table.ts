import { PEERS } from '../peers/index.js'
import { goalText, medianRatioText, medianText, verdictText } from './figure-text.js'
import type { Result } from './results.js'
import { variantOf } from './saved-results.js'
import { type FigureSummary, OURS } from './summary.js'

const BEGIN = '<!-- bench -->'
const END = '<!-- /bench -->'

/** What the README says of results: a table of the headlines, and where they come from. */
export function readmeTable(results: readonly Result[]): string {
  const claimed = results.filter(({ summary }) =>
    summary.figures.some(({ headline }) => headline !== undefined),
  )
  if (claimed.length === 0) return 'Nothing has been measured yet.'
  const measured = new Set(claimed.flatMap(({ servers }) => Object.keys(servers)))
  const servers = PEERS.map(({ name }) => name).filter(name => measured.has(name))
  const rows = claimed.flatMap(result =>
    result.summary.figures.flatMap(figure =>
      figure.headline === undefined ? [] : [row(result, figure, servers)],
    ),
  )
  return [
    `| what | ${servers.join(' | ')} | goal |`,
    `|---|${servers.map(() => '---|').join('')}---|`,
    ...rows,
    '',
    'In brackets: our figure over theirs. Medians of the rounds.',
    ...claimed.map(source),
  ].join('\n')
}

/**
 * A README with what stands between its markers replaced.
 *
 * @throws Error if it has no markers
 */
export function withTable(readme: string, table: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the README has no ${BEGIN} … ${END}`)
  return `${readme.slice(0, begin + BEGIN.length)}\n${table}\n${readme.slice(end)}`
}

function row(result: Result, figure: FigureSummary, servers: readonly string[]): string {
  const what = `${figure.headline}, ${figure.unit} (${conditions(result)})`
  const cells = servers.map(name => {
    const ratio = medianRatioText(figure, name)
    return name === OURS || ratio === '' ? medianText(figure, name) : `${medianText(figure, name)} (${ratio})`
  })
  const goals = figure.verdicts.map(
    verdict => `${goalText(verdict.goal, figure.unit)}: ${verdictText(verdict)}`,
  )
  return `| ${[what, ...cells, goals.join('; ')].join(' | ')} |`
}

function conditions(result: Result): string {
  return variantOf(result).slice(result.scenario.length + 2)
}

function source(result: Result): string {
  const { date, machine, parameters } = result
  const day = date.slice(0, 10)
  return `- ${variantOf(result)}: ${day}, ${parameters.rounds} rounds, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}.`
}
