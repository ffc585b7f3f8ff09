import t from 'tap'
import { Breaker } from '../../src/publisher/breaker.js'
import { FakeClock } from '../helpers/clock.js'

function create(holdMs: number) {
  const clock = new FakeClock()
  return { clock, breaker: new Breaker({ holdMs, now: () => clock.monotonic() }) }
}

t.test('after a failed call none goes for a while, then one, and after its success all', async t => {
  const { clock, breaker } = create(5_000)
  t.ok(breaker.begin())
  t.ok(breaker.begin(), 'while nothing has failed, any number')
  breaker.failed()
  t.equal(breaker.waitMs, 5_000)
  t.notOk(breaker.begin())
  clock.advance(4_999)
  t.notOk(breaker.begin())
  clock.advance(1)
  t.ok(breaker.begin())
  t.notOk(breaker.begin(), 'the others wait for what becomes of it')
  breaker.succeeded()
  t.ok(breaker.begin())
  t.ok(breaker.begin())
  t.equal(breaker.waitMs, 0)
})

t.test('when that one fails, the next is as far away', async t => {
  const { clock, breaker } = create(5_000)
  breaker.begin()
  breaker.failed()
  clock.advance(5_000)
  t.ok(breaker.begin())
  breaker.failed()
  clock.advance(4_999)
  t.notOk(breaker.begin())
  clock.advance(1)
  t.ok(breaker.begin())
})

t.test('the server may ask for more time, but not for hours', async t => {
  const { breaker } = create(5_000)
  breaker.failed(9_000)
  t.equal(breaker.waitMs, 9_000)
  breaker.failed(1_000)
  t.equal(breaker.waitMs, 5_000)
  breaker.failed(3_600_000)
  t.equal(breaker.waitMs, 30_000)
})

t.test('a hold of 0 lets everything through', async t => {
  const { breaker } = create(0)
  breaker.failed(9_000)
  t.ok(breaker.begin())
  breaker.failed()
  t.ok(breaker.begin())
})
