import t from 'tap'
import { heapBytes } from '../helpers/heap.js'
import { TestWindow } from '../helpers/window.js'

/** What a window that holds at most 10 entries still takes after `count` messages, in bytes. */
async function growth(
  count: number,
  key: (index: number) => string,
): Promise<{ bytes: number; tested: TestWindow }> {
  const tested = new TestWindow({ entries: 10 })
  const before = await heapBytes()
  for (let index = 0; index < count; index++) tested.add(key(index))
  return { bytes: (await heapBytes()) - before, tested }
}

t.test('a window gives back what it does not hold any more, however many channels there were', async t => {
  const { bytes, tested } = await growth(60_000, index => `a channel of its own, number ${index}`)
  // 10,000 evictions that are remembered take about 2 MB; 60,000 would take 12.
  t.ok(bytes < 5_000_000, `${bytes} bytes`)
  t.equal(tested.window.size.entries, 10)
})

t.test('nor does a busy channel keep the places of what is gone', async t => {
  const { bytes, tested } = await growth(100_000, () => 'news')
  t.ok(bytes < 400_000, `${bytes} bytes`)
  t.equal(tested.window.size.entries, 10)
})

t.test('nor does it keep the last few hundred of large messages', async t => {
  const tested = new TestWindow({ entries: 10 })
  const before = await heapBytes()
  for (let index = 0; index < 900; index++) tested.add('news', { data: 'x'.repeat(20_000) })
  const bytes = (await heapBytes()) - before
  t.ok(bytes < 2_000_000, `${bytes} bytes`)
  t.equal(tested.window.size.entries, 10)
})

t.test(
  'the bytes that count are about those that are taken, also of a message to a thousand users',
  async t => {
    const count = 50
    const before = await heapBytes()
    const tested = new TestWindow()
    for (let index = 0; index < count; index++) {
      tested.add(
        Array.from({ length: 1_000 }, (_, user) => `a user of its own, number ${index * 1_000 + user}`),
      )
    }
    const taken = ((await heapBytes()) - before) / count
    const counted = tested.window.size.bytes / count
    t.ok(taken < 4 * counted, `${Math.round(taken)} bytes are taken, ${Math.round(counted)} are counted`)
    t.ok(counted < 4 * taken)
  },
)
