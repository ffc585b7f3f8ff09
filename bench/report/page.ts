import { loadShare, serverShare } from '../rig/effort.js'
import { barChart } from './bar-chart.js'
import { figureText, goalText, ratioText, verdictText } from './figure-text.js'
import { html, htmlTable } from './html.js'
import type { Result } from './results.js'
import { variantOf } from './saved-results.js'
import { type FigureSummary, OURS } from './summary.js'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c9d1d9; --ours: #0969da; --other: #8c959f; --limit: #d4a72c }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #3d444d; --ours: #58a6ff; --other: #6e7681; --limit: #d29922 }
}
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
figure { margin: 0 0 1.5rem } figcaption { font-weight: 600 }
.charts { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)) }
svg { display: block } svg text { font-size: 14px; fill: var(--ink) } svg line { stroke: var(--ink); stroke-width: 2 }
.ours { fill: var(--ours) } .other { fill: var(--other) } .limit { fill: var(--limit) }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .875rem }
td, th { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
`

/** The results as one page of HTML that needs nothing else: no script, no picture, no other file. */
export function reportPage(results: readonly Result[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Downpipe: benchmark</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Downpipe: benchmark</h1>
<p>Bars are medians of the rounds, with a line from the smallest to the largest. How each figure is taken: <code>bench/README.md</code>.</p>
<h2>Goals</h2>
${goals(results)}
${results.map(section).join('\n')}
</body>
</html>
`
}

function goals(results: readonly Result[]): string {
  const rows = results.flatMap(result =>
    result.summary.figures.flatMap(figure =>
      figure.verdicts.map(verdict => [
        verdictText(verdict),
        figure.name,
        goalText(verdict.goal, figure.unit),
        verdict.goal.kind === 'at-most' ? figureText(figure, OURS) : ratioText(figure, verdict.goal.to),
        variantOf(result),
      ]),
    ),
  )
  return htmlTable([['', 'figure', 'goal', 'measured', 'run'], ...rows])
}

function section(result: Result): string {
  const { machine, load, parameters, servers, summary } = result
  const run = [
    `${result.date.slice(0, 16).replace('T', ' ')} UTC`,
    `${parameters.rounds} rounds`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB`,
    machine.kernel,
    `Node ${machine.node}`,
    `commit ${machine.commit}`,
    `${load.reader} reader`,
  ]
  return `<section>
<h2>${html(variantOf(result))}</h2>
<p>${html(result.description)}.</p>
<div class="charts">${summary.figures.map(chart).join('')}</div>
<details><summary>Figures, ratios and how busy server and load were</summary>
${figures(result)}
${efforts(result)}
<ul>${Object.entries(servers)
    .map(([name, what]) => `<li><strong>${html(name)}</strong>: ${html(what)}</li>`)
    .join('')}</ul>
</details>
<p><small>${html(run.join('; '))}. Nothing was lost, duplicated or out of order at any subscriber.</small></p>
</section>`
}

function chart(figure: FigureSummary): string {
  const caption = `${figure.name}, ${figure.unit} (${figure.better} is better)`
  return `<figure><figcaption>${html(caption)}</figcaption>${barChart(figure)}</figure>`
}

function figures({ servers, summary }: Result): string {
  const names = Object.keys(servers)
  const others = names.filter(name => name !== OURS)
  return htmlTable([
    ['', ...names, ...others.map(name => `${OURS} / ${name}`)],
    ...summary.figures.map(figure => [
      `${figure.name}, ${figure.unit}`,
      ...names.map(name => figureText(figure, name)),
      ...others.map(name => ratioText(figure, name)),
    ]),
  ])
}

function efforts({ servers, summary }: Result): string {
  const names = Object.keys(servers)
  const percent = (share: number) => Math.round(100 * share)
  return htmlTable([
    ['busy, %: server / load', ...names],
    ...Object.entries(summary.efforts).map(([part, byServer]) => [
      part,
      ...names.map(name => {
        const effort = byServer[name]
        return effort === undefined ? '' : `${percent(serverShare(effort))} / ${percent(loadShare(effort))}`
      }),
    ]),
  ])
}
