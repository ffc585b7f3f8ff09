import t from 'tap'
import { TestWindow } from '../helpers/window.js'

t.test('without a cursor one starts from what was applied last', async t => {
  const tested = new TestWindow()
  t.equal(tested.start(undefined, 'news'), 'good 0')
  tested.add('news')
  tested.obey()
  t.equal(tested.start(undefined, 'news'), 'good 2')
  t.strictSame(tested.window.start(undefined, []), { kind: 'good', from: tested.window.applied })
})

t.test('a cursor is good where the entry at its n has exactly its ms, and at the floor', async t => {
  const tested = new TestWindow()
  const cursors = [tested.add('news'), tested.add('sport'), tested.obey(), tested.add('news')]
  for (const cursor of [{ ms: tested.birthMs, n: 0 }, ...cursors]) {
    t.equal(tested.start({ cursor }, 'news'), `good ${cursor.n}`)
    t.strictSame(tested.window.start({ cursor }, ['news']), { kind: 'good', from: cursor })
  }
})

t.test('another ms at that n is a place that this log never had', async t => {
  const tested = new TestWindow()
  const { ms, n } = tested.add('news')
  tested.add('news')
  t.equal(tested.start({ cursor: { ms: ms + 1, n } }, 'news'), 'gap unknown')
  t.equal(tested.start({ cursor: { ms: ms - 1, n } }, 'news'), 'gap unknown')
  t.equal(tested.start({ cursor: { ms: tested.birthMs + 1, n: 0 } }, 'news'), 'gap unknown')
})

t.test('a cursor from before the birth of the log is from another log, wherever it points', async t => {
  const tested = new TestWindow()
  tested.add('news')
  for (const n of [0, 1, 99]) {
    t.equal(tested.start({ cursor: { ms: tested.birthMs - 1, n } }, 'news'), 'gap unknown')
  }
})

t.test('a cursor ahead of this node waits for it', async t => {
  const tested = new TestWindow()
  const { ms, n } = tested.add('news')
  t.equal(tested.start({ cursor: { ms: ms + 5, n: n + 1 } }, 'news'), 'ahead 2')
})

t.test('what is not a cursor is a gap', async t => {
  t.equal(new TestWindow().start('malformed', 'news'), 'gap malformed')
})

t.test(
  'below the floor a cursor is good while nothing for the own channels was evicted after it',
  async t => {
    const tested = new TestWindow({ entries: 2 })
    const first = tested.add('news')
    const second = tested.add('sport')
    const third = tested.add(['sport', 'music'])
    tested.add('news')
    tested.add('news')
    for (const cursor of [first, second]) {
      t.equal(tested.start({ cursor }, 'news', 'art'), `good ${cursor.n}`, 'only others were evicted')
      t.equal(tested.start({ cursor }, 'news', 'music'), 'gap old', 'one of the own was evicted')
    }
    t.equal(tested.start({ cursor: { ms: tested.birthMs, n: 0 } }, 'news'), 'gap old')
    t.equal(tested.start({ cursor: third }, 'sport', 'music'), 'good 3', 'it is the floor')
    t.ok(tested.window.holdsAfter(first.n, ['news']))
    t.notOk(tested.window.holdsAfter(first.n, ['sport']))
    t.ok(tested.window.holdsAfter(third.n, ['sport']))
  },
)

t.test('below the floor, a cursor later than the floor is from another log', async t => {
  const tested = new TestWindow({ entries: 1 })
  const { n } = tested.add('sport')
  const floor = tested.add('sport')
  tested.add('sport')
  t.equal(tested.start({ cursor: { ms: floor.ms, n } }, 'news'), 'good 1')
  t.equal(tested.start({ cursor: { ms: floor.ms + 1, n } }, 'news'), 'gap old')
})

t.test('what nobody could have read any more is not missed when it is evicted', async t => {
  const tested = new TestWindow({ entries: 1 })
  const start = tested.add('sport')
  tested.add('news', { ttlMs: 0 })
  tested.add('news', { ttlMs: 5 })
  tested.obey()
  tested.add('sport')
  t.equal(tested.start({ cursor: start }, 'news'), 'good 1')
})

t.test('a message with a ttl that was evicted before its time is missed', async t => {
  const tested = new TestWindow({ entries: 1 })
  const start = tested.add('sport')
  tested.add('news', { ttlMs: 60_000 })
  tested.add('sport')
  t.equal(tested.start({ cursor: start }, 'news'), 'gap old')
})

t.test(
  'of how many channels evictions are remembered is bounded; over it, a cursor is believed less',
  async t => {
    const tested = new TestWindow({ entries: 1 })
    const start = tested.add('quiet')
    for (let index = 0; index < 10_001; index++) tested.add(`channel ${index}`)
    t.equal(tested.start({ cursor: start }, 'quiet'), 'good 1')
    tested.add('one more')
    t.equal(tested.start({ cursor: start }, 'quiet'), 'gap old', 'not known any more, so not believed')
    t.equal(tested.start({ cursor: { ...start, n: 3 } }, 'quiet'), 'good 3')
  },
)

t.test('a window that begins in the middle of a log knows of nothing before its floor', async t => {
  // The entries before the floor were evicted before this node began to read: nobody here knows for whom they were.
  const tested = new TestWindow()
  const floor = { ms: tested.clock.now(), n: 500 }
  tested.window.reset(floor, tested.birthMs - 1_000)
  tested.add('news')
  t.equal(tested.start({ cursor: { ms: floor.ms - 1, n: 499 } }, 'news'), 'gap old')
  t.equal(tested.start({ timeMs: floor.ms - 1 }, 'news'), 'gap old')
  t.equal(tested.start({ timeMs: floor.ms }, 'news'), 'gap old', 'what stands at the floor may be of that ms')
  t.notOk(tested.window.holdsAfter(499, ['news']))
  t.equal(tested.start({ cursor: floor }, 'news'), 'good 500')
  t.equal(tested.start({ timeMs: floor.ms + 1 }, 'news'), 'good 500')
  t.equal(tested.start({ timeMs: 0 }, 'news'), 'good 500')
})

t.test('a reset forgets everything', async t => {
  const tested = new TestWindow({ entries: 3 })
  for (let index = 0; index < 5; index++) tested.add('news')
  const before = tested.window.applied
  tested.clock.advance(1_000)
  const birthMs = tested.clock.now()
  tested.window.reset({ ms: birthMs, n: 0 }, birthMs)
  t.strictSame(tested.window.applied, { ms: birthMs, n: 0 })
  t.strictSame(tested.window.size, { entries: 0, bytes: 0 })
  t.strictSame(tested.read(0, ['news']), [])
  t.equal(tested.start({ cursor: before }, 'news'), 'gap unknown')
  tested.add('news')
  t.strictSame(tested.read(0, ['news']), [1])
})

t.test('since a time: everything stored at it or later', async t => {
  const tested = new TestWindow()
  const cursors = [1, 2, 3, 4].map(() => tested.add('news'))
  for (const { ms, n } of cursors) {
    t.equal(tested.start({ timeMs: ms }, 'news'), `good ${n - 1}`)
    t.equal(tested.start({ timeMs: ms + 1 }, 'news'), `good ${n}`)
  }
})

t.test('since a time at which several were stored: all of them', async t => {
  const tested = new TestWindow()
  tested.add('news')
  const { ms } = tested.add('news')
  // The log's ms stands still while the clock is set back.
  tested.clock.jump(-60_000)
  tested.add('news')
  tested.add('news')
  t.equal(tested.start({ timeMs: ms }, 'news'), 'good 1')
  t.equal(tested.start({ timeMs: ms + 1 }, 'news'), 'good 4')
})

t.test('since 0: all that is held, however much is not', async t => {
  const tested = new TestWindow({ entries: 2 })
  t.equal(tested.start({ timeMs: 0 }, 'news'), 'good 0')
  for (let index = 0; index < 5; index++) tested.add('news')
  t.equal(tested.start({ timeMs: 0 }, 'news'), 'good 3')
})

t.test('since the future: what comes', async t => {
  const tested = new TestWindow()
  const { ms } = tested.add('news')
  t.equal(tested.start({ timeMs: ms + 60_000 }, 'news'), 'good 1')
  t.equal(tested.start({ timeMs: 999_999_999_999_999 }, 'news'), 'good 1')
})

t.test('since a time before the birth of the log: a gap, for nobody knows what was before', async t => {
  const tested = new TestWindow()
  t.equal(tested.start({ timeMs: tested.birthMs - 1 }, 'news'), 'gap old')
  t.equal(tested.start({ timeMs: tested.birthMs }, 'news'), 'good 0')
  tested.add('news')
  t.equal(tested.start({ timeMs: tested.birthMs - 1 }, 'news'), 'gap old')
  t.equal(tested.start({ timeMs: tested.birthMs }, 'news'), 'good 0')
})

t.test('since a time: a gap only where something of the own channels was evicted since', async t => {
  const tested = new TestWindow({ entries: 2 })
  const { ms } = tested.add('news')
  for (let index = 0; index < 4; index++) tested.add('sport')
  t.equal(tested.start({ timeMs: ms + 1 }, 'news'), 'good 3')
  t.equal(tested.start({ timeMs: ms }, 'news'), 'gap old')
  t.equal(tested.start({ timeMs: ms + 1 }, 'news', 'sport'), 'gap old')
})
