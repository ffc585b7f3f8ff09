import type { Test } from 'tap'
import type { MessageLog } from '../../src/log/message-log.js'
import type { Message } from '../../src/message.js'
import { nastyNames } from '../helpers/nasty.js'
import { begin, type CreateLog, clockOf, held, message } from './log-under-test.js'

/** A message with an idempotency key; its fingerprint is its data. */
function keyed(key: string, data: string): Message {
  return message(data, { idempotency: { key, fingerprint: data } })
}

/** Checks that the append is refused because a key was used for another message. */
async function refuses(t: Test, log: MessageLog, items: readonly Message[]): Promise<void> {
  await t.rejects(log.append(items), { code: 'DOWNPIPE_IDEMPOTENCY_CONFLICT' })
}

/** The cases about appending the same thing again. */
export function idempotencyCases(t: Test, create: CreateLog): void {
  t.test('a message that comes again with its key is not appended again', async t => {
    const { log, other } = await begin(t, create)
    const [first] = await log.append([keyed('k', 'hello')])
    t.strictSame(await log.append([keyed('k', 'hello')]), [first])
    t.strictSame(await other.append([keyed('k', 'hello')]), [first])
    await log.append([message('end')])
    t.strictSame((await held(log, 2)).story, ['hello', 'end'])
  })

  t.test('messages without a key, or with different ones, are as many as they are', async t => {
    const { log } = await begin(t, create)
    await log.append([message('same'), message('same'), keyed('a', 'same'), keyed('b', 'same')])
    await log.append([message('end')])
    t.strictSame((await held(log, 5)).story, ['same', 'same', 'same', 'same', 'end'])
  })

  t.test('both arrive at once: one entry, one cursor', async t => {
    const { log, other } = await begin(t, create)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? log : other).append([keyed('k', 'hello')])),
    )
    for (const answer of answers) t.strictSame(answer, answers[0])
    await log.append([message('end')])
    t.strictSame((await held(log, 2)).story, ['hello', 'end'])
  })

  t.test('twice in one batch: one entry, and the batch goes on behind it', async t => {
    const { log } = await begin(t, create)
    const [a, first, b, again, c] = await log.append([
      message('a'),
      keyed('k', 'hello'),
      message('b'),
      keyed('k', 'hello'),
      message('c'),
    ])
    t.strictSame(again, first)
    t.strictSame(
      [a, first, b, c].map(cursor => cursor?.n),
      [1, 2, 3, 4],
    )
    t.strictSame((await held(log, 4)).story, ['a', 'hello', 'b', 'c'])
  })

  t.test('a batch of which a part was appended before adds the rest', async t => {
    const { log } = await begin(t, create)
    const [one, two] = await log.append([keyed('1', 'one'), keyed('2', 'two')])
    const answer = await log.append([keyed('2', 'two'), keyed('3', 'three'), keyed('1', 'one')])
    t.strictSame([answer[0], answer[2]], [two, one])
    t.equal(answer[1]?.n, 3)
    t.strictSame((await held(log, 3)).story, ['one', 'two', 'three'])
  })

  t.test('a key with another message is a conflict, and nothing of the batch is appended', async t => {
    const { log, other } = await begin(t, create)
    await log.append([keyed('k', 'hello')])
    await refuses(t, log, [message('before'), keyed('new', 'one'), keyed('k', 'something else')])
    await refuses(t, other, [keyed('k', 'something else')])
    // The key that came first in the refused batch is free: nothing of that batch was kept.
    await log.append([keyed('new', 'two')])
    await log.append([keyed('k', 'hello')])
    await log.append([message('end')])
    t.strictSame((await held(log, 3)).story, ['hello', 'two', 'end'])
  })

  t.test('so is a key that comes twice in one batch with two messages', async t => {
    const { log } = await begin(t, create)
    await refuses(t, log, [keyed('k', 'one'), keyed('k', 'two')])
    await log.append([keyed('k', 'three')])
    t.strictSame((await held(log, 1)).story, ['three'])
  })

  t.test('a key outlives the entry, and is forgotten after the window', async t => {
    const tested = await begin(t, create, { entries: 1 })
    const clock = clockOf(t, tested)
    if (clock === undefined) return
    const { log } = tested
    const [first] = await log.append([keyed('k', 'hello')])
    await log.append([message('pushes it out')])
    clock.advance(299_000)
    t.strictSame(await log.append([keyed('k', 'hello')]), [first])
    await refuses(t, log, [keyed('k', 'another')])
    clock.advance(2_000)
    const [again] = await log.append([keyed('k', 'another')])
    t.equal(again?.n, 3)
  })

  t.test('whatever a key is called', async t => {
    const { log } = await begin(t, create)
    const batch = nastyNames.map((key, index) => keyed(key, String(index)))
    const cursors = await log.append(batch)
    t.strictSame(await log.append(batch), cursors)
    t.equal(new Set(cursors.map(({ n }) => n)).size, nastyNames.length)
  })
}
