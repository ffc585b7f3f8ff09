import fc from 'fast-check'
import t from 'tap'
import { connect } from '../../src/client/node/index.js'
import { until } from '../helpers/calls.js'
import { startCuttingProxy } from '../helpers/cutting-proxy.js'
import { deliveryFault, type Published } from '../helpers/delivery.js'
import { effort, seed } from '../helpers/seed.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import type { Target } from '../helpers/target.js'

/**
 * Programs behind a proxy that cuts after a random number of bytes, while messages flow: whatever is cut in two, a head, a frame, a
 * character, each program has everything, once and in order, or a gap that covers it.
 */

/** Cuts after which it has been enough, if there were gaps where there are to be some. */
const enoughCuts = 30 * effort

/** Milliseconds after which it has been enough in any case: a busy machine cuts slowly. */
const longestMs = 40_000 * effort

interface Gap {
  readonly from: number
  readonly to: number
}

function place(id: string): number {
  return Number(id.split('-')[1])
}

for (const { name, windowEntries } of [
  {
    name: 'from a window that holds all of it, nothing is missing and no gap is told',
    windowEntries: 100_000,
  },
  { name: 'from a window that forgets soon, what is missing is covered by gaps', windowEntries: 20 },
]) {
  t.test(name, async t => {
    // What waits a random time waits a fifth of it, so that no program is found waiting for half a minute at the end.
    const { random } = Math
    t.intercept(Math, 'random', { value: () => random() / 5, configurable: true })
    const server = await startTestServer({ windowEntries })
    t.teardown(() => server.close())
    const draws = fc.sample(fc.nat(6_000), { seed, numRuns: 2_000 })
    let isOver = false
    let next = 0
    const draw = () => draws[next++ % draws.length] ?? 0
    // Now and then enough for the answer to a poll that has fallen behind, which comes whole or not at all.
    const bytes = () => (draw() % 4 === 0 ? 100_000 : draw())
    const proxy = await startCuttingProxy(server.url, () => (isOver ? Number.POSITIVE_INFINITY : bytes()))
    t.teardown(() => proxy.close())

    const { body: head } = await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })
    const since = String(head.cursor)
    const programs = Array.from({ length: 8 }, (_, index) => {
      const channels = index % 4 < 2 ? ['a', 'b'] : ['b', 'c']
      const program = { uid: '', channels, start: 0, ids: [] as number[], gaps: [] as Gap[], isDone: false }
      const push = connect(proxy.url, {
        token: serviceKey,
        channels,
        since,
        transport: index % 2 === 0 ? 'sse' : 'poll',
        onmessage: (data, { id = '' }) => {
          program.ids.push(place(id))
          program.isDone ||= data === 'the end'
        },
        ongap: ({ since, cursor }) => program.gaps.push({ from: place(since), to: place(cursor) }),
      })
      t.teardown(() => push.close())
      return program
    })

    const published = new Map<number, Published>()
    const publish = async (target: Target, data: unknown) => {
      const { body } = await server.post('/publish', { ...target, data })
      published.set(place(String(body.id)), { target, mayExpire: false })
    }
    const targets: readonly Target[] = [
      { channel: 'a' },
      { channel: 'b' },
      { channels: ['a', 'c'] },
      { broadcast: true },
      { channel: 'd' },
    ]
    const forgets = windowEntries < 1_000
    const hasGaps = () => programs.some(program => program.gaps.length > 0)
    const endMs = performance.now() + longestMs
    while ((proxy.cuts < enoughCuts || (forgets && !hasGaps())) && performance.now() < endMs) {
      const target = targets[draw() % targets.length]
      if (target !== undefined) await publish(target, '😀'.repeat(draw() % 300))
      if (draw() % 10 === 0) await new Promise(resolve => setTimeout(resolve, draw() % 100))
    }
    isOver = true
    await until('the end', async () => {
      if (programs.every(({ isDone }) => isDone)) return true
      await publish({ broadcast: true }, 'the end')
      return false
    })
    const gaps = programs.flatMap(program => program.gaps).length
    t.comment(`${published.size} messages, ${proxy.cuts} cuts, ${gaps} gaps, seed ${seed}`)
    const fault = (program: (typeof programs)[number]) => {
      const last = program.ids.at(-1) ?? 0
      return deliveryFault(program, new Map([...published].filter(([id]) => id <= last)))
    }
    // A gap is told a moment late, at random, so that not everybody fetches at once.
    await until('the gaps', () => programs.every(program => fault(program) === undefined)).catch(() => {})
    for (const [index, program] of programs.entries()) {
      t.equal(fault(program), undefined, `program ${index}, seed ${seed}`)
    }
    t.ok(proxy.cuts > 10, `${proxy.cuts} cuts`)
    t.equal(hasGaps(), forgets)
  })
}
