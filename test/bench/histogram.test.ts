import t from 'tap'
import { Histogram } from '../../bench/load/histogram.js'

t.test('quantiles are right to within one per cent, over seven orders of magnitude', async t => {
  for (const scale of [1, 37, 1000, 12_345, 1_000_000]) {
    const histogram = new Histogram()
    for (let value = 1; value <= 1000; value++) histogram.add(value * scale)
    for (const share of [0.01, 0.5, 0.9, 0.99]) {
      const exact = share * 1000 * scale
      t.ok(Math.abs(histogram.quantile(share) - exact) <= exact * 0.01, `${share} of ${scale}`)
    }
  }
})

t.test('the extremes are exact', async t => {
  const histogram = new Histogram()
  for (const value of [123_457, 99, 7_654_321]) histogram.add(value)
  t.equal(histogram.minMicros, 99)
  t.equal(histogram.maxMicros, 7_654_321)
  t.equal(histogram.quantile(0), 99)
  t.equal(histogram.quantile(1), 7_654_321)
})

t.test('histograms of several processes add up', async t => {
  const [one, other] = [new Histogram(), new Histogram()]
  for (let value = 1; value <= 100; value++) (value % 3 === 0 ? one : other).add(value)
  const sum = Histogram.sum([one.toData(), other.toData(), new Histogram().toData()])
  t.equal(sum.total, 100)
  t.equal(sum.minMicros, 1)
  t.equal(sum.maxMicros, 100)
  t.equal(sum.quantile(0.5), 50)
})

t.test('a histogram of nothing says 0', async t => {
  const histogram = new Histogram()
  t.same([histogram.quantile(0.5), histogram.minMicros, histogram.maxMicros], [0, 0, 0])
})

t.test('what no clock can have measured is kept within bounds', async t => {
  const histogram = new Histogram()
  histogram.add(-5)
  histogram.add(1e12)
  t.equal(histogram.minMicros, 0)
  t.equal(histogram.maxMicros, 2 ** 32 - 1)
})
