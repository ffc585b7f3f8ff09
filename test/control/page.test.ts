import fc from 'fast-check'
import t from 'tap'
import { Page } from '../../src/control/page.js'

t.test('pages together are all keys once and in order, however they were offered', async t => {
  const keys = fc.oneof(fc.array(fc.string({ maxLength: 3 })), fc.array(fc.integer({ min: 1, max: 300 })))
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 20 }), (keys, limit) => {
      const wanted = [...new Set<string | number>(keys)].sort((one, other) => (one < other ? -1 : 1))
      const found: (string | number)[] = []
      let after: string | number | undefined
      for (let pages = 0; pages <= wanted.length; pages += 1) {
        const page = new Page<string | number, string | number>(limit, after)
        for (const key of keys) page.offer(key, key)
        const { items, next } = page.take()
        found.push(...items)
        if (next === undefined) break
        t.equal(items.length, limit)
        t.equal(next, items.at(-1))
        after = next
      }
      t.strictSame(found, wanted)
    }),
  )
})

t.test('a page of many takes few steps, even where each that comes belongs before all others', async t => {
  const count = 500_000
  const page = new Page<number, number>(1_000, undefined)
  const beganMs = performance.now()
  for (let i = count; i > 0; i -= 1) page.offer(i, i)
  t.match(page.take(), { items: { length: 1_000, 0: 1, 999: 1_000 }, next: 1_000 })
  // It takes some 100 ms; with a sort for each that comes, half a minute.
  t.ok(performance.now() - beganMs < 10_000)
})
