import t from 'tap'
import { CallLimit, CallLimitReached } from '../../src/auth/call-limit.js'
import { FakeClock } from '../helpers/clock.js'
import { settled } from '../helpers/verifier.js'

/** A limit, and calls that end when the test says so. */
function begin(options: { atOnce: number; queueLength: number }) {
  const clock = new FakeClock()
  const limit = new CallLimit({ clock, queueMs: 5_000, ...options })
  const started: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  /** What becomes of a call: its name, or why not. */
  const run = async (name: string): Promise<string> => {
    try {
      return await limit.run(() => {
        started.push(name)
        return new Promise((resolve, reject) => {
          ends.set(name, error => (error === undefined ? resolve(name) : reject(error)))
        })
      })
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error)
    await settled()
  }
  return { clock, limit, started, run, end }
}

t.test('so many run at once; the others wait, and start in their order', async t => {
  const { limit, started, run, end } = begin({ atOnce: 2, queueLength: 10 })
  const all = ['a', 'b', 'c', 'd'].map(run)
  t.strictSame(started, ['a', 'b'])
  t.strictSame([limit.running, limit.waiting], [2, 2])
  await end('b')
  t.strictSame(started, ['a', 'b', 'c'])
  await end('a')
  t.strictSame(started, ['a', 'b', 'c', 'd'])
  t.strictSame([limit.running, limit.waiting], [2, 0])
  await end('c')
  await end('d')
  t.strictSame(await Promise.all(all), ['a', 'b', 'c', 'd'])
  t.strictSame([limit.running, limit.waiting], [0, 0])
})

t.test('a call that fails, at once or later, gives its place to the next', async t => {
  const { limit, run, end, started } = begin({ atOnce: 1, queueLength: 10 })
  const later = run('later')
  const next = run('next')
  await end('later', new Error('failed later'))
  t.equal(await later, 'failed later')
  t.strictSame(started, ['later', 'next'])
  await end('next')
  t.equal(await next, 'next')
  await t.rejects(
    limit.run(() => {
      throw new Error('failed at once')
    }),
    { message: 'failed at once' },
  )
  t.strictSame([limit.running, limit.waiting], [0, 0])
})

t.test('who finds the queue full is turned away at once, and is never called', async t => {
  const { run, end, started, limit } = begin({ atOnce: 1, queueLength: 1 })
  const kept = [run('a'), run('b')]
  t.equal(await run('c'), 'the queue is full')
  t.type(await limit.run(async () => {}).catch((error: unknown) => error), CallLimitReached)
  await end('a')
  await end('b')
  t.strictSame(await Promise.all(kept), ['a', 'b'])
  t.strictSame(started, ['a', 'b'])
})

t.test('nobody may wait where the queue has no places', async t => {
  const { run, end } = begin({ atOnce: 1, queueLength: 0 })
  const only = run('a')
  t.equal(await run('b'), 'the queue is full')
  await end('a')
  t.equal(await only, 'a')
  const again = run('c')
  await end('c')
  t.equal(await again, 'c')
})

t.test('nobody waits longer than the deadline, each by the time of its own coming', async t => {
  const { clock, limit, run, end, started } = begin({ atOnce: 1, queueLength: 10 })
  const running = run('running')
  const first = run('first')
  clock.advance(3_000)
  const second = run('second')
  clock.advance(1_999)
  t.equal(limit.waiting, 2)
  clock.advance(1)
  t.equal(await first, 'no place came free in time')
  t.equal(limit.waiting, 1)
  clock.advance(2_999)
  t.equal(limit.waiting, 1)
  await end('running')
  t.strictSame(started, ['running', 'second'], 'who was refused is not called any more')
  clock.advance(60_000)
  await end('second')
  t.strictSame(await Promise.all([running, second]), ['running', 'second'])
})

t.test('the deadline is kept also for those who come after a time without a queue', async t => {
  const { clock, run, end } = begin({ atOnce: 1, queueLength: 10 })
  for (let round = 0; round < 3; round++) {
    const running = run('running')
    const waiting = run('waiting')
    clock.advance(5_000)
    t.equal(await waiting, 'no place came free in time')
    await end('running')
    t.equal(await running, 'running')
    clock.advance(60_000)
  }
})
