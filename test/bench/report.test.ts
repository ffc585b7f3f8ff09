/** From saved results to the page with charts and to the table in the README. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { readOptions } from '../../bench/options.js'
import { repositoryPath } from '../../bench/peers/repository.js'
import { reportPage } from '../../bench/report/page.js'
import { readmeTable, withTable } from '../../bench/report/readme-table.js'
import type { Result } from '../../bench/report/results.js'
import { readSavedResults } from '../../bench/report/saved-results.js'
import { summarize } from '../../bench/report/summary.js'
import type { FigureSpec, Measurement } from '../../bench/scenarios/scenario.js'
import { launchChromium, screenshotOnFailure } from '../helpers/chromium.js'

const specs: readonly FigureSpec[] = [
  {
    name: 'lone broadcast: rate',
    unit: '/s',
    better: 'higher',
    part: 'lone',
    whenLoadBound: 'bound',
    headline: 'lone broadcast to 10,000',
    goals: [
      { kind: 'ratio-at-least', to: 'nchan', value: 1.4 },
      { kind: 'ratio-at-least', to: 'naive', value: 4 },
    ],
  },
  { name: 'p99 <of> "all"', unit: 'ms', better: 'lower', part: 'lone', whenLoadBound: 'bound' },
]

function measured(rate: number, loadMicros = 500): Measurement {
  const idle = { readersMicros: 0, othersAtServerMicros: 0, othersAtLoadMicros: 0 }
  const lone = { wallMicros: 1000, serverMicros: 500, loadMicros, ...idle }
  return {
    values: { 'lone broadcast: rate': rate, 'p99 <of> "all"': 1e6 / rate },
    efforts: { lone },
    faults: NO_FAULTS,
  }
}

const rounds = {
  downpipe: [measured(60_000), measured(80_000), measured(70_000)],
  nchan: [measured(40_000), measured(40_000), measured(40_000)],
  'c-loop': [measured(100_000, 980), measured(100_000, 980), measured(100_000, 980)],
}

function resultOf(change: Partial<Result> = {}): Result {
  const options = readOptions(['fan-out'], ['fan-out'], Object.keys(rounds))
  if (options === 'help') throw new Error('that was no question')
  return {
    scenario: 'fan-out',
    description: '10 lone broadcasts to 10000 subscribers',
    date: '2026-11-22T10:00:00.000Z',
    machine: {
      cpu: 'Some CPU <x>',
      cores: 2,
      memoryGb: 24,
      kernel: 'Linux 6',
      node: 'v20.20.2',
      commit: 'abcdef',
      pinned: { server: 0, load: 1 },
    },
    load: { reader: 'native', isSteered: true },
    servers: { downpipe: 'ours', nchan: 'nginx', 'c-loop': 'the limit' },
    parameters: options,
    summary: summarize(specs, new Map(Object.entries(rounds))),
    rounds,
    ...change,
  }
}

t.test('of each scenario, Node and steering the newest counts, and what is no claim is left out', async t => {
  const { summary, parameters, machine } = resultOf()
  const results: Readonly<Record<string, unknown>> = {
    old: resultOf({ date: '2026-11-21T10:00:00.000Z', description: 'old' }),
    new: resultOf({ description: 'new' }),
    older: resultOf({ date: '2026-11-20T10:00:00.000Z', description: 'older' }),
    otherNode: resultOf({ machine: { ...machine, node: 'v24.1.0' }, description: 'Node 24' }),
    unsteered: resultOf({ load: { reader: 'native', isSteered: false }, description: 'not steered' }),
    smoke: resultOf({ date: '2026-12-01T10:00:00.000Z', parameters: { ...parameters, smoke: true } }),
    failed: resultOf({
      date: '2026-12-01T10:00:00.000Z',
      summary: { ...summary, failures: ['nchan: 1 lost'] },
    }),
    invalid: resultOf({
      date: '2026-12-01T10:00:00.000Z',
      summary: { ...summary, refusals: ['nchan: the load'] },
    }),
    foreign: { scenario: 'fan-out', summary: {} },
  }
  const folder = t.testdir(
    Object.fromEntries(
      Object.entries(results).map(([name, result]) => [`${name}.json`, JSON.stringify(result)]),
    ),
  )
  writeFileSync(`${folder}/report.html`, 'not a result')
  const { newest, leftOut } = readSavedResults(folder)
  t.same(
    newest.map(({ description }) => description),
    ['not steered', 'new', 'Node 24'],
  )
  t.same(leftOut, [
    'failed.json is left out: its run has failed (nchan: 1 lost)',
    'foreign.json is left out: it is of another form',
    'invalid.json is left out: it is invalid (nchan: the load)',
    'smoke.json is left out: it is of a smoke run',
  ])
})

t.test('the table for the README names figures, ratios, goals and where they come from', async t => {
  t.equal(
    readmeTable([resultOf()]),
    [
      '| what | downpipe | nchan | c-loop | goal |',
      '|---|---|---|---|---|',
      '| lone broadcast to 10,000, /s (Node 20, steered) | 70,000 | 40,000 (1.8) | ≥ 100,000 (≤ 0.70) | ≥ 1.4 × nchan: reached; ≥ 4 × naive: not compared |',
      '',
      'In brackets: our figure over theirs. Medians of the rounds.',
      '- fan-out, Node 20, steered: 2026-11-22, 3 rounds, Some CPU <x>, 2 cores, Node v20.20.2, commit abcdef.',
    ].join('\n'),
  )
  t.equal(
    withTable('a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n', 'new'),
    'a\n<!-- bench -->\nnew\n<!-- /bench -->\nb\n',
  )
  t.throws(() => withTable('no markers', 'new'), /has no <!-- bench -->/)
})

t.test('what the README claims comes from the saved results', async t => {
  const readme = readFileSync(repositoryPath('README.md'), 'utf8')
  const { newest } = readSavedResults(repositoryPath('bench/results'))
  t.equal(withTable(readme, readmeTable(newest)), readme, 'run `npm run bench:report`')
})

t.test(
  'the page shows bars as long as the figures, in the light and in the dark, on a phone too',
  async t => {
    const browser = await launchChromium(t)
    const page = await browser.newPage()
    screenshotOnFailure(t, page)
    const requests: string[] = []
    page.on('request', request => requests.push(request.url()))
    const file = `${t.testdir({ 'report.html': reportPage([resultOf()]) })}/report.html`
    await page.goto(`file://${file}`)
    t.same(requests, [`file://${file}`], 'it needs nothing else')

    const widths = await page
      .locator('figure:has-text("lone broadcast: rate") rect')
      .evaluateAll(bars => bars.map(bar => bar.getBoundingClientRect().width))
    const [ours = 0, theirs = 0, limit = 0] = widths
    t.equal(widths.length, 3)
    t.ok(Math.abs(ours / limit - 0.7) < 0.01 && Math.abs(theirs / limit - 0.4) < 0.01, widths.join(' '))
    t.equal(await page.getByText('≥ 100,000').first().isVisible(), true)
    t.equal(await page.getByText('p99 <of> "all", ms (lower is better)').isVisible(), true)
    const goals = page.locator('table').first()
    t.match(await goals.textContent(), /reachedlone broadcast: rate≥ 1\.4 × nchan1\.8 \(1\.5–2\.0\)/)

    const colours = async () => {
      const ink = await page
        .locator('svg text')
        .first()
        .evaluate(text => getComputedStyle(text).fill)
      const paper = await page.locator('body').evaluate(body => getComputedStyle(body).backgroundColor)
      return { ink: brightness(ink), paper: brightness(paper) }
    }
    await page.emulateMedia({ colorScheme: 'light' })
    const light = await colours()
    t.ok(light.paper - light.ink > 180, 'dark on light')
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await colours()
    t.ok(dark.ink - dark.paper > 180, 'light on dark')

    await page.setViewportSize({ width: 360, height: 700 })
    await page.locator('summary').click()
    const sizes = await page.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      text: document.querySelector('svg text')?.getBoundingClientRect().height ?? 0,
    }))
    t.ok(sizes.page <= 360, `${sizes.page} px wide`)
    t.ok(sizes.text >= 12, `text is ${sizes.text} px high`)
  },
)

/** Of a colour as a browser writes it: 0 is black, 255 white. */
function brightness(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number)
  return (red + green + blue) / 3
}
