import type { Test } from 'tap'
import { connected, until } from '../helpers/calls.js'
import { beginCase, type Transport } from './transport-case.js'

/** Where a subscriber goes on from, and what it is told when it cannot. */
export function resumeSuite(t: Test, transport: Transport): void {
  t.test('who returns with a cursor gets what was missed, once, and then what comes', async t => {
    const { knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'b'] })
    const first = await join({ token: 'five' })
    await publish({ channel: 'a', data: 1 })
    await publish({ channel: 'b', data: 2 })
    t.strictSame(await first.messages(2), [1, 2])
    first.close()
    await publish({ channel: 'a', data: 3 })
    await publish({ channel: 'other', data: 4 })
    await publish({ uid: '5', data: 5 })
    await publish({ broadcast: true, data: 6 })
    await publish({ channel: 'b', data: 7 })
    const again = await join({ token: 'five', since: first.cursor ?? '' })
    t.equal(again.cursor, first.cursor, 'ready names the place that was asked for')
    t.strictSame(await again.messages(4), [3, 5, 6, 7])
    await publish({ channel: 'a', data: 8 })
    t.strictSame(await again.messages(1), [8])
    const narrow = await join({ token: 'five', since: first.cursor ?? '', channels: ['b'] })
    t.strictSame(await narrow.messages(3), [5, 6, 7])
  })

  t.test('who comes without a place gets what comes from now on', async t => {
    const { knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const before = await publish({ channel: 'a', data: 'before' })
    const reader = await join({ token: 'five' })
    t.equal(reader.cursor, before)
    await publish({ channel: 'a', data: 'after' })
    t.strictSame(await reader.messages(1), ['after'])
  })

  t.test('a time gives everything stored from it on; 0 all that is held; one to come nothing', async t => {
    const { knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const first = await publish({ channel: 'a', data: 1 })
    await until('the next millisecond', () => Date.now() > milliseconds(first))
    const second = await publish({ channel: 'a', data: 2 })
    t.strictSame(await (await join({ token: 'five', since: '0' })).messages(2), [1, 2])
    const since = String(milliseconds(second))
    t.strictSame(await (await join({ token: 'five', since })).messages(1), [2])
    const future = await join({ token: 'five', since: String(Date.now() + 3_600_000) })
    await publish({ channel: 'a', data: 3 })
    t.strictSame(await future.messages(1), [3])
  })

  t.test('Last-Event-ID wins over since, and an empty one is none', async t => {
    const { knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const first = await publish({ channel: 'a', data: 1 })
    await publish({ channel: 'a', data: 2 })
    const reader = await join({ token: 'five', since: '0', lastEventId: first })
    t.strictSame(await reader.messages(1), [2])
    const other = await join({ token: 'five', since: '0', lastEventId: '' })
    t.strictSame(await other.messages(2), [1, 2])
  })

  t.test('a place that cannot be honoured is a gap that says why, and it goes on from now', async t => {
    const { knows, join, publish } = await beginCase(t, transport, { windowEntries: 3 })
    knows('five', { uid: '5', channels: ['a'] })
    const first = await publish({ channel: 'a', data: 1 })
    await publish({ channel: 'a', data: 2 })
    for (const data of [3, 4, 5]) await publish({ channel: 'b', data })
    const applied = await publish({ channel: 'a', data: 6 })
    const bad = [
      ['malformed', 'x', null],
      ['malformed', '1-2-3', null],
      ['malformed', '-', null],
      ['malformed', '1e3', null],
      ['malformed', '12345678901234567890', null],
      ['old', first, first],
      ['old', '1', '1'],
      ['unknown', '1-1', '1-1'],
      ['unknown', `${milliseconds(applied) + 1}-6`, `${milliseconds(applied) + 1}-6`],
    ] as const
    for (const [reason, since, told] of bad) {
      const reader = await join({ token: 'five', since })
      const gap = { since: told, cursor: applied, reason, initial: true }
      t.match(await reader.next('gap'), { id: applied, data: gap }, `${since} is ${reason}`)
      t.equal(reader.cursor, applied)
    }
    const returning = await join({ token: 'five', lastEventId: first })
    t.match(
      (await returning.next('gap')).data,
      { reason: 'old', initial: false },
      'who comes back is not new',
    )
    const last = await join({ token: 'five', since: 'x' })
    await last.next('gap')
    await publish({ channel: 'a', data: 7 })
    t.strictSame(await last.messages(1), [7])
  })

  t.test('a place whose messages were all for others when they were thrown away is no gap', async t => {
    const { knows, join, publish } = await beginCase(t, transport, { windowEntries: 3 })
    knows('five', { uid: '5', channels: ['a'] })
    const first = await publish({ channel: 'a', data: 1 })
    for (const data of [2, 3, 4, 5]) await publish({ channel: 'b', data })
    await publish({ channel: 'a', data: 6 })
    const reader = await join({ token: 'five', since: first })
    t.strictSame(await reader.messages(1), [6])
  })

  t.test('a place ahead that another entry takes is a gap in the moment in which it does', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const first = await publish({ channel: 'a', data: 1 })
    const reader = await join({ token: 'five', since: `${milliseconds(first) - 1}-2` })
    await connected(server, 1)
    const second = await publish({ channel: 'a', data: 2 })
    t.match(await reader.next('gap'), { id: second, data: { reason: 'unknown', cursor: second } })
    await publish({ channel: 'a', data: 3 })
    t.strictSame(await reader.messages(1), [3])
  })

  t.test('a place ahead that this node does not reach is a gap after five seconds', async t => {
    const { knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const first = await publish({ channel: 'a', data: 1 })
    const beginMs = performance.now()
    const reader = await join({ token: 'five', since: `${milliseconds(first)}-9` })
    t.match(await reader.next('gap'), { id: first, data: { reason: 'ahead', cursor: first } })
    t.ok(performance.now() - beginMs >= 4_500, 'not before, to a tick')
    await publish({ channel: 'a', data: 2 })
    t.strictSame(await reader.messages(1), [2])
  })
}

function milliseconds(id: string): number {
  return Number(id.split('-')[0])
}
