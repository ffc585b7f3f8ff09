import t from 'tap'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { summarize } from '../../bench/report/summary.js'
import type { FigureSpec, Measurement } from '../../bench/scenarios/scenario.js'

const rate: FigureSpec = {
  name: 'rate',
  unit: '/s',
  better: 'higher',
  part: 'flood',
  whenLoadBound: 'bound',
  goals: [
    { kind: 'ratio-at-least', to: 'naive', value: 4 },
    { kind: 'ratio-at-least', to: 'naive', value: 6 },
    { kind: 'ratio-at-least', to: 'absent', value: 1 },
  ],
}

function measured(value: number, loadMicros = 500, serverMicros = 500): Measurement {
  const others = { othersAtServerMicros: 0, othersAtLoadMicros: 0 }
  const flood = { wallMicros: 1000, serverMicros, loadMicros, readersMicros: loadMicros, ...others }
  return { values: { rate: value }, efforts: { flood }, faults: NO_FAULTS }
}

t.test('ratios are taken within each round, and their median decides', async t => {
  const summary = summarize(
    [rate],
    new Map([
      ['downpipe', [measured(500), measured(900), measured(1000)]],
      ['naive', [measured(100), measured(300), measured(200)]],
    ]),
  )
  t.match(summary.figures[0]?.servers.naive?.ratio, { median: 5, min: 3, max: 5 })
  t.same(
    summary.figures[0]?.verdicts.map(({ isReached }) => isReached),
    [true, false, undefined],
  )
  t.same(summary.failures, [])
  t.same(summary.refusals, [])
})

t.test('where the load was the bottleneck, ours is a bound and any other is refused', async t => {
  const ours = summarize([rate], new Map([['downpipe', [measured(500, 950)]]]))
  t.match(ours.figures[0]?.servers.downpipe, { limit: 'load', isValid: true })
  t.same(ours.refusals, [])
  const other = summarize([rate], new Map([['naive', [measured(500, 950)]]]))
  t.match(other.figures[0]?.servers.naive, { limit: 'load', isValid: false })
  t.same(other.refusals, ['naive: the load was the bottleneck (flood)'])
})

t.test('where no goal compares, a bottleneck in the load makes a bound of any other too', async t => {
  const rounds = new Map([
    ['downpipe', [measured(500)]],
    ['c-loop', [measured(1000, 950)]],
  ])
  const summary = summarize([rate], rounds)
  t.match(summary.figures[0]?.servers['c-loop'], { limit: 'load', isValid: true, ratio: { median: 0.5 } })
  t.same(summary.refusals, [])
})

t.test('a figure that says how fast the load is can be refused for ours too', async t => {
  const strict: FigureSpec = { ...rate, whenLoadBound: 'refuse' }
  t.same(summarize([strict], new Map([['downpipe', [measured(500, 950)]]])).refusals, [
    'downpipe: the load was the bottleneck (flood)',
  ])
})

t.test('when both are at their limit, the server is the one that is measured', async t => {
  const summary = summarize([rate], new Map([['naive', [measured(500, 950, 990)]]]))
  t.match(summary.figures[0]?.servers.naive, { limit: 'server', isValid: true })
})

t.test('a fault in any round fails the run, and is named', async t => {
  const faulty = { ...measured(100), faults: { ...NO_FAULTS, lost: 2, gaps: 1 } }
  const summary = summarize([rate], new Map([['naive', [measured(100), faulty]]]))
  t.same(summary.failures, ['naive: 2 lost, 1 gaps'])
  t.equal(summary.figures[0]?.verdicts[0]?.isReached, undefined)
})
