import type { Test } from 'tap'
import { begin, type CreateLog, checkWhole, clockOf, held, message, record } from './log-under-test.js'

/** The cases about what a log holds, and for how long. */
export function retentionCases(t: Test, create: CreateLog): void {
  t.test('no more entries are held than the retention says, and the floor is just before them', async t => {
    const { log, other } = await begin(t, create, { entries: 4 })
    const cursors = []
    for (let data = 1; data <= 10; data++) cursors.push(...(await log.append([message(data)])))
    for (const node of [log, other]) {
      const late = await held(node, 4)
      t.strictSame(late.story, [7, 8, 9, 10])
      t.strictSame(late.floor, cursors[5])
      checkWhole(t, late)
    }
  })

  t.test('no more bytes are held than the retention says', async t => {
    const { log } = await begin(t, create, { bytes: 10_000 })
    for (let data = 1; data <= 10; data++) await log.append([message(String(data).padEnd(3_000))])
    const late = await held(log, 1)
    t.ok(
      late.entries.length >= 2 && late.entries.length <= 3,
      `${late.entries.length} of 3,000 bytes are held`,
    )
    t.equal(late.cursors.at(-1)?.n, 10, 'the newest are')
    checkWhole(t, late)
  })

  t.test('nothing older than the retention says is held once something was appended', async t => {
    const tested = await begin(t, create, { ageMs: 60_000 })
    const clock = clockOf(t, tested)
    if (clock === undefined) return
    const { log } = tested
    const [old] = await log.append([message('old')])
    clock.advance(59_000)
    await log.append([message('younger')])
    t.strictSame((await held(log, 2)).story, ['old', 'younger'])
    clock.advance(2_000)
    await log.append([message('new')])
    const late = await held(log, 2)
    t.strictSame(late.story, ['younger', 'new'])
    t.strictSame(late.floor, old)
  })

  t.test('a log that holds nothing any more goes on counting where it was', async t => {
    const { log } = await begin(t, create, { bytes: 1 })
    const live = record(log)
    await log.append([message(1)])
    await log.append([message(2)])
    await live.has(2)
    checkWhole(t, live)
    const late = await held(log, 0)
    t.strictSame(late.entries, [])
    t.strictSame(late.floor, live.cursors[1])
  })

  t.test('followers get a whole batch, also where it is larger than the retention', async t => {
    const { log } = await begin(t, create, { entries: 2 })
    const live = record(log)
    await log.append([1, 2, 3, 4, 5].map(data => message(data)))
    t.strictSame((await live.has(5)).story, [1, 2, 3, 4, 5])
    checkWhole(t, live)
    t.strictSame((await held(log, 2)).story, [4, 5])
  })
}
