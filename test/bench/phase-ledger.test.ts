import t from 'tap'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { PhaseLedger, QUIET } from '../../bench/load/phase-ledger.js'

const plan = { phase: 2, sources: 2, messages: 3, isSpread: false, hasCrash: false }

/** Two subscribers; the second one gets everything, the first one what is listed as `[source, sequence]`. */
function ledgerAfter(...received: readonly (readonly [number, number])[]): PhaseLedger {
  const ledger = new PhaseLedger(plan, 2)
  for (const source of [0, 1]) {
    for (const sequence of [1, 2, 3]) ledger.record(1, 2, source, sequence, 1000, 1500)
  }
  for (const [source, sequence] of received) ledger.record(0, 2, source, sequence, 1000, 2000)
  return ledger
}

t.test('everything once and in order, whichever source is faster, is without fault', async t => {
  const ledger = ledgerAfter([1, 1], [0, 1], [1, 2], [1, 3], [0, 2], [0, 3])
  t.same(ledger.faults(), NO_FAULTS)
  t.equal(ledger.delivered, ledger.expected)
  t.equal(ledger.lastMicros, 2000)
  t.equal(ledger.latency.total, 12)
  t.equal(ledger.latency.minMicros, 500)
  t.equal(ledger.latency.maxMicros, 1000)
})

t.test('a message that never comes is lost, at the end as in the middle', async t => {
  t.same(ledgerAfter([0, 1], [0, 3], [1, 1], [1, 2]).faults(), { ...NO_FAULTS, lost: 2 })
})

t.test('a message that comes twice is duplicated, and hides no loss', async t => {
  t.same(ledgerAfter([0, 1], [0, 1], [0, 2], [0, 3], [1, 1], [1, 2]).faults(), {
    ...NO_FAULTS,
    lost: 1,
    duplicated: 1,
  })
})

t.test('a message that comes late is out of order, and neither lost nor duplicated', async t => {
  const ledger = ledgerAfter([0, 3], [0, 1], [0, 2], [1, 1], [1, 2], [1, 3])
  t.same(ledger.faults(), { ...NO_FAULTS, disordered: 2 })
})

t.test('a late message that comes once more is duplicated', async t => {
  const ledger = ledgerAfter([0, 2], [0, 1], [0, 1], [0, 3], [1, 1], [1, 2], [1, 3])
  t.same(ledger.faults(), { ...NO_FAULTS, disordered: 1, duplicated: 1 })
})

t.test('what belongs to another phase, or to none, came once too often', async t => {
  const ledger = new PhaseLedger(QUIET, 2)
  t.notOk(ledger.record(0, 1, 0, 1, 1000, 2000))
  t.notOk(ledger.record(0, 0, 0, 1, 1000, 2000))
  t.notOk(ledger.record(0, 0, Number.NaN, Number.NaN, 1000, 2000))
  t.same(ledger.faults(), { ...NO_FAULTS, duplicated: 3 })
})
