import t from 'tap'
import { ChannelIndex } from '../../src/log/channel-index.js'

const beginning = { ms: 1, n: 0 }

t.test('the last eviction of each key is known, and that of several is the latest', async t => {
  const index = new ChannelIndex(beginning)
  index.evict('a', { ms: 10, n: 1 }, true)
  index.evict('b', { ms: 20, n: 2 }, true)
  index.evict('a', { ms: 30, n: 3 }, true)
  index.evict('b', { ms: 40, n: 4 }, false)
  t.strictSame(index.lastEvicted(['a']), { ms: 30, n: 3 })
  t.strictSame(index.lastEvicted(['b']), { ms: 20, n: 2 }, 'what does not count is not noted')
  t.strictSame(index.lastEvicted(['b', 'a', 'c']), { ms: 30, n: 3 })
  t.equal(index.lastEvicted(['c']).n, 0)
  t.equal(index.lastEvicted([]).n, 0)
})

t.test('of too many keys those go first whose last eviction is the oldest', async t => {
  const index = new ChannelIndex(beginning)
  index.evict('busy', { ms: 0, n: 1 }, true)
  for (let n = 2; n <= 10_000; n++) index.evict(`key ${n}`, { ms: 0, n }, true)
  index.evict('busy', { ms: 0, n: 10_001 }, true)
  t.equal(index.lastEvicted(['unknown']).n, 0)
  index.evict('one more', { ms: 0, n: 10_002 }, true)
  t.equal(index.lastEvicted(['unknown']).n, 2)
  t.equal(index.lastEvicted(['key 3']).n, 3)
  t.equal(index.lastEvicted(['busy']).n, 10_001)
})

t.test('of what was before the place where it begins, everything may have been for anybody', async t => {
  const index = new ChannelIndex({ ms: 50, n: 7 })
  t.strictSame(index.lastEvicted(['a']), { ms: 50, n: 7 })
  index.evict('a', { ms: 60, n: 8 }, true)
  t.strictSame(index.lastEvicted(['a']), { ms: 60, n: 8 })
  t.strictSame(index.lastEvicted(['b']), { ms: 50, n: 7 })
})

t.test('the places of several keys are merged, each once', async t => {
  const index = new ChannelIndex(beginning)
  for (const [n, keys] of [['a'], ['b'], ['a', 'b', 'c'], ['c'], ['a']].entries()) {
    for (const key of keys) index.add(key, n + 1)
  }
  const after = (n: number, ...keys: string[]) => [...index.after(n, keys)]
  t.strictSame(after(0, 'a', 'b'), [1, 2, 3, 5])
  t.strictSame(after(0, 'b', 'a', 'b', 'nobody'), [1, 2, 3, 5])
  t.strictSame(after(1, 'a', 'c'), [3, 4, 5])
  t.strictSame(after(5, 'a', 'b', 'c'), [])
  index.evict('a', { ms: 0, n: 1 }, true)
  t.strictSame(after(0, 'a'), [3, 5])
})

t.test('places stay right however many are evicted', async t => {
  const index = new ChannelIndex(beginning)
  for (let n = 1; n <= 1_000; n++) {
    index.add('a', n)
    if (n > 10) index.evict('a', { ms: 0, n: n - 10 }, true)
    if (n === 500) t.strictSame([...index.after(494, ['a'])], [495, 496, 497, 498, 499, 500])
  }
  t.strictSame([...index.after(0, ['a'])], [991, 992, 993, 994, 995, 996, 997, 998, 999, 1_000])
  for (let n = 991; n <= 1_000; n++) index.evict('a', { ms: 0, n }, true)
  t.strictSame([...index.after(0, ['a'])], [])
})
