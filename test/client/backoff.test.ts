import t from 'tap'
import { backoffMs } from '../../src/client/backoff.js'

t.test('delays are random, from nothing up to a limit that doubles and ends at 32 s', async t => {
  for (const [failures, limitMs] of [
    [0, 1000],
    [1, 2000],
    [4, 16000],
    [5, 32000],
    [5000, 32000],
  ] as const) {
    t.intercept(Math, 'random', { value: () => 0, configurable: true })
    t.equal(backoffMs(failures), 0)
    t.intercept(Math, 'random', { value: () => 0.999, configurable: true })
    t.equal(backoffMs(failures), 0.999 * limitMs)
  }
})
