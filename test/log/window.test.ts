import t from 'tap'
import { createEntry } from '../../src/log/entry.js'
import { command, TestWindow } from '../helpers/window.js'

t.test('what is read is what is for the own channels, in order, each once', async t => {
  const tested = new TestWindow()
  for (const keys of [['a'], ['b'], ['a', 'b'], ['c'], ['b', 'c', 'a']]) tested.add(keys)
  tested.obey()
  tested.add('a')
  t.strictSame(tested.read(0, ['a']), [1, 3, 5, 7])
  t.strictSame(tested.read(0, ['b', 'a']), [1, 2, 3, 5, 7])
  t.strictSame(tested.read(0, ['a', 'a']), [1, 3, 5, 7])
  t.strictSame(tested.read(3, ['c', 'b', 'a']), [4, 5, 7])
  t.strictSame(tested.read(7, ['a']), [])
  t.strictSame(tested.read(0, []), [])
  t.strictSame(tested.read(0, ['nobody']), [])
})

t.test('a page holds at most the bytes asked for, but always something', async t => {
  const tested = new TestWindow()
  for (const length of [1, 1, 1, 500, 1, 1]) tested.add('a', { data: 'x'.repeat(length) })
  const size = tested.window.read(0, ['a'], 1e9).frames[0]?.bytes.length ?? 0
  const page = (n: number, maxBytes: number) => {
    const { frames, to, isLast } = tested.window.read(n, ['a'], maxBytes)
    return [frames.map(frame => frame.cursor?.n), to, isLast]
  }
  t.strictSame(page(0, 2 * size), [[1, 2], 2, false])
  t.strictSame(page(0, 2 * size - 1), [[1], 1, false])
  t.strictSame(page(0, 0), [[1], 1, false])
  t.strictSame(page(2, 2 * size), [[3], 3, false], 'the next one is too large for the rest of the page')
  t.strictSame(page(3, 2 * size), [[4], 4, false], 'and comes by itself')
  t.strictSame(page(4, 2 * size), [[5, 6], 6, true])
  for (const maxBytes of [0, size, 3 * size, 600, 1e9]) {
    t.strictSame(tested.read(0, ['a'], maxBytes), [1, 2, 3, 4, 5, 6])
  }
})

t.test('the last page reaches what was applied last, whoever it was for', async t => {
  const tested = new TestWindow()
  tested.add('a')
  tested.add('b')
  tested.obey()
  t.match(tested.window.read(0, ['a'], 1e9), { to: 3, isLast: true })
  t.match(tested.window.read(0, [], 1e9), { to: 3, isLast: true })
})

t.test('a page reaches beyond what it leaves out because it has expired', async t => {
  const tested = new TestWindow()
  tested.add('a')
  for (let index = 0; index < 3; index++) tested.add('a', { ttlMs: 100 })
  tested.add('a')
  tested.clock.advance(1_000)
  t.match(tested.window.read(0, ['a'], 1), { frames: { length: 1 }, to: 4, isLast: false })
  t.strictSame(tested.read(0, ['a'], 1), [1, 5])
})

t.test('a message is read until its ttl is over; one without any time never', async t => {
  const tested = new TestWindow()
  tested.add('a', { ttlMs: 1_000 })
  tested.add('a', { ttlMs: 0 })
  tested.add('a')
  t.strictSame(tested.read(0, ['a']), [1, 3])
  tested.clock.advance(979)
  t.strictSame(tested.read(0, ['a']), [1, 3])
  tested.clock.advance(1)
  t.strictSame(tested.read(0, ['a']), [3])
})

t.test('a message without any time is never read, also while the clock is set back', async t => {
  const tested = new TestWindow()
  tested.add('a', { ttlMs: 0 })
  tested.clock.jump(-60_000)
  tested.add('a', { ttlMs: 0 })
  t.strictSame(tested.read(0, ['a']), [])
})

t.test('the window keeps to its retention: entries', async t => {
  const tested = new TestWindow({ entries: 3 })
  for (let index = 0; index < 5_000; index++) tested.add('a')
  t.equal(tested.window.size.entries, 3)
  t.strictSame(tested.read(4_997, ['a']), [4_998, 4_999, 5_000])
})

t.test('the window keeps to its retention: bytes', async t => {
  const tested = new TestWindow({ bytes: 10_000 })
  for (let index = 0; index < 50; index++) tested.add('a', { data: 'x'.repeat(1_000) })
  const { entries, bytes } = tested.window.size
  t.ok(bytes <= 10_000 && bytes > 8_000, `${bytes} bytes`)
  t.ok(entries >= 5 && entries <= 9, `${entries} entries`)
  tested.add('a', { data: 'x'.repeat(20_000) })
  t.strictSame(tested.window.size, { entries: 0, bytes: 0 }, 'what is larger than all is not kept')
  t.equal(tested.window.applied.n, 51)
})

t.test('the window keeps to its retention: age, also while nothing is added', async t => {
  const tested = new TestWindow({ ageMs: 60_000 })
  tested.add('a')
  tested.clock.advance(30_000)
  const last = tested.add('a')
  tested.clock.advance(29_980)
  tested.window.evict()
  t.equal(tested.window.size.entries, 2)
  tested.clock.advance(20)
  tested.window.evict()
  t.equal(tested.window.size.entries, 1)
  tested.clock.advance(60_000)
  tested.window.evict()
  t.strictSame(tested.window.size, { entries: 0, bytes: 0 })
  t.strictSame(tested.window.applied, last, 'its place stays')
  t.equal(tested.start({ cursor: last }, 'a'), 'good 2')
})

t.test('an entry that does not follow the last one is refused', async t => {
  const { window } = new TestWindow()
  for (const n of [0, 2]) {
    const entry = createEntry({ ms: window.applied.ms, n }, command)
    t.throws(() => window.add(entry), RangeError)
  }
})
