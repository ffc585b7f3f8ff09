import t from 'tap'
import { SlicedQueue } from '../../src/hub/sliced-queue.js'
import { FakeClock } from '../helpers/clock.js'
import { createTestHub } from '../helpers/hub.js'

/** A clock on which work costs time, and whose turns are taken one by one. */
class CostlyClock extends FakeClock {
  #spentMs = 0
  #put: (() => void)[] = []

  override monotonic(): number {
    return super.monotonic() + this.#spentMs
  }

  override soon(task: () => void): void {
    this.#put.push(task)
  }

  spend(ms: number): void {
    this.#spentMs += ms
  }

  /** One turn of the event loop; how many ms it was held. */
  oneTurn(): number {
    const startMs = this.monotonic()
    const tasks = this.#put
    this.#put = []
    for (const task of tasks) task()
    return this.monotonic() - startMs
  }
}

/** A queue each of whose items costs 0.05 ms, and what it has done. */
function costlyQueue(clock: CostlyClock): { queue: SlicedQueue<number>; done: number[] } {
  const done: number[] = []
  const queue = new SlicedQueue<number>(clock, item => {
    clock.spend(0.05)
    done.push(item)
  })
  return { queue, done }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

t.test('who has little to do is served within two turns, whatever others have', async t => {
  const clock = new CostlyClock()
  const flooded = [costlyQueue(clock), costlyQueue(clock), costlyQueue(clock)]
  for (const { queue } of flooded) for (const item of numbers(10_000)) queue.push(item)
  clock.oneTurn()
  const quiet = costlyQueue(clock)
  quiet.queue.push(1)
  clock.oneTurn()
  clock.oneTurn()
  t.strictSame(quiet.done, [1])
  for (const { queue } of flooded) t.ok(queue.length > 9_000, `${queue.length} are left`)
})

t.test(
  'a turn is not held longer because more have much to do, and each has an equal part of it',
  async t => {
    const clock = new CostlyClock()
    const flooded = numbers(8).map(() => costlyQueue(clock))
    for (const { queue } of flooded) for (const item of numbers(5_000)) queue.push(item)
    for (const _ of numbers(40)) {
      const heldMs = clock.oneTurn()
      // One look at the clock is 16 items away from the next.
      t.ok(heldMs > 0 && heldMs < 2 + 0.9, `a turn was held for ${heldMs} ms`)
    }
    const done = flooded.map(({ done }) => done.length)
    t.ok(Math.max(...done) - Math.min(...done) <= 64, `done: ${done}`)
  },
)

t.test('who is alone has the whole turn', async t => {
  const clock = new CostlyClock()
  const { queue, done } = costlyQueue(clock)
  for (const item of numbers(60)) queue.push(item)
  clock.oneTurn()
  t.equal(done.length, 48)
  clock.oneTurn()
  t.strictSame(
    [...done].sort((one, other) => one - other),
    numbers(60),
  )
  t.equal(clock.oneTurn(), 0)
})

t.test('what is pushed while its turn lasts is for a later turn', async t => {
  const clock = new CostlyClock()
  let worked = 0
  const queue = new SlicedQueue<number>(clock, item => {
    worked += 1
    if (item < 3) queue.push(item + 1)
  })
  queue.push(0)
  for (const turns of [1, 2, 3, 4, 4]) {
    clock.oneTurn()
    t.equal(worked, turns)
  }
})

t.test('work that fails holds up nobody else, and what is left of it is done later', async t => {
  const clock = new CostlyClock()
  const faulty = new SlicedQueue<number>(clock, item => {
    if (item === 0) throw new Error('a fault')
    clock.spend(1)
  })
  faulty.push(0)
  const other = costlyQueue(clock)
  other.queue.push(1)
  t.throws(() => clock.oneTurn(), { message: 'a fault' })
  faulty.push(1)
  clock.oneTurn()
  clock.oneTurn()
  t.strictSame(other.done, [1])
  t.equal(faulty.length, 0)
})

t.test('a message of one site is written before the backlog of another', async t => {
  const clock = new CostlyClock()
  const flooded = createTestHub({ clock })
  const quiet = createTestHub({ clock })
  let written = 0
  for (const _ of numbers(5_000)) {
    const { sink } = flooded.join(['news'])
    sink.write = () => {
      clock.spend(0.1)
      written += 1
    }
  }
  while (clock.oneTurn() > 0);
  written = 0
  const reader = quiet.join(['news'])
  await flooded.publish({ channel: 'news', data: 1 })
  await quiet.publish({ channel: 'news', data: 1 })
  clock.oneTurn()
  t.match(reader.sink.story.at(-1), /^message/)
  t.ok(written > 0 && written < 500, `${written} of 5,000 were written before`)
  while (clock.oneTurn() > 0);
  t.equal(written, 5_000)
})
