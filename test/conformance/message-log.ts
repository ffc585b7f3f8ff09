import type { Test } from 'tap'
import type { Follower } from '../../src/log/message-log.js'
import { routingKey } from '../../src/message.js'
import { nastyData, nastyNames } from '../helpers/nasty.js'
import {
  begin,
  type CreateLog,
  checkWhole,
  clockOf,
  held,
  message,
  Recorder,
  record,
} from './log-under-test.js'
import { idempotencyCases } from './message-log-idempotency.js'
import { retentionCases } from './message-log-retention.js'

/**
 * What every `MessageLog` must do. An implementation's own test gives it a factory; what one cannot show is skipped with the
 * reason.
 *
 * Entries may arrive at any time after an append: nothing here assumes that a follower is told at once.
 */
export function messageLogSuite(t: Test, { create }: { create: CreateLog }): void {
  t.test('order', async t => orderCases(t, create))
  t.test('followers', async t => followerCases(t, create))
  t.test('entries', async t => entryCases(t, create))
  t.test('retention', async t => retentionCases(t, create))
  t.test('idempotency', async t => idempotencyCases(t, create))
}

function orderCases(t: Test, create: CreateLog): void {
  t.test('entries come in the order of their cursors, which are those that append answers', async t => {
    const { log } = await begin(t, create)
    const recorder = record(log)
    const answers = []
    for (let data = 0; data < 20; data++) answers.push(...(await log.append([message(data)])))
    await recorder.has(20)
    checkWhole(t, recorder)
    t.strictSame(
      recorder.story,
      Array.from({ length: 20 }, (_, data) => data),
    )
    t.strictSame(recorder.cursors, answers)
  })

  t.test('a batch stands together, whoever appends at the same time', async t => {
    const { log, other } = await begin(t, create)
    const recorder = record(log)
    const batches = Array.from({ length: 20 }, (_, batch) => [0, 1, 2].map(item => `${batch}.${item}`))
    const answers = await Promise.all(
      batches.map((batch, index) => (index % 2 === 0 ? log : other).append(batch.map(data => message(data)))),
    )
    await recorder.has(60)
    checkWhole(t, recorder)
    for (const [index, batch] of batches.entries()) {
      const start = recorder.story.indexOf(batch[0])
      t.strictSame(recorder.story.slice(start, start + 3), batch)
      t.strictSame(recorder.cursors.slice(start, start + 3), answers[index])
    }
  })

  t.test('time never goes back, also where the clock does', async t => {
    const tested = await begin(t, create)
    const clock = clockOf(t, tested)
    if (clock === undefined) return
    const recorder = record(tested.log)
    for (const ms of [0, 5_000, -3_600_000, 1_000, 7_200_000]) {
      clock.jump(ms)
      await tested.log.append([message(ms)])
    }
    const [first, late, back, stillBack, forward] = (await recorder.has(5)).cursors
    checkWhole(t, recorder)
    t.equal((late?.ms ?? 0) - (first?.ms ?? 0), 5_000)
    t.equal(back?.ms, late?.ms)
    t.equal(stillBack?.ms, late?.ms)
    t.equal(forward?.ms, clock.now())
  })

  t.test('commands stand among the messages', async t => {
    const { log } = await begin(t, create)
    const recorder = record(log)
    const kick = { kind: 'kick', uid: 'five\n', holdMs: 5_000 } as const
    const logout = { kind: 'logout', tokenHash: 'hash', holdMs: 60_000 } as const
    await log.append([message(1), kick, message(2)])
    await log.append([logout])
    t.strictSame((await recorder.has(4)).story, [1, kick, 2, logout])
    checkWhole(t, recorder)
  })

  t.test('appending nothing appends nothing', async t => {
    const { log } = await begin(t, create)
    const recorder = record(log)
    t.strictSame(await log.append([]), [])
    await log.append([message('first')])
    t.strictSame((await recorder.has(1)).story, ['first'])
    checkWhole(t, recorder)
  })
}

function followerCases(t: Test, create: CreateLog): void {
  t.test('all followers get the same, on every node', async t => {
    const { log, other } = await begin(t, create)
    const recorders = [record(log), record(log), record(other)]
    await Promise.all([1, 2, 3, 4].map(data => (data % 2 === 0 ? log : other).append([message(data)])))
    for (const recorder of recorders) {
      await recorder.has(4)
      checkWhole(t, recorder)
      t.strictSame(recorder.story, recorders[0]?.story)
      t.strictSame(recorder.cursors, recorders[0]?.cursors)
    }
  })

  t.test('a new log begins at its birth, with nothing', async t => {
    const tested = await begin(t, create)
    const { floor, resets, entries } = await record(tested.log).has(0)
    t.equal(floor?.n, 0)
    t.equal(floor?.ms, resets[0]?.birthMs)
    t.strictSame(entries, [])
    if (tested.clock !== undefined) t.equal(resets[0]?.birthMs, tested.clock.now())
  })

  t.test('who joins later gets everything that is held, then what comes, each once', async t => {
    const { log, other } = await begin(t, create)
    await log.append([message(1), message(2)])
    const late = record(other)
    await log.append([message(3)])
    await late.has(3)
    const later = record(log)
    await other.append([message(4)])
    for (const recorder of [late, later]) {
      t.strictSame((await recorder.has(4)).story, [1, 2, 3, 4])
      t.equal(recorder.floor?.n, 0)
      checkWhole(t, recorder)
    }
  })

  t.test('who joins while others append misses nothing and gets nothing twice', async t => {
    const { log, other } = await begin(t, create)
    const recorders: Recorder[] = []
    const appends = Array.from({ length: 50 }, (_, data) => {
      if (data % 10 === 5) recorders.push(record(data % 20 === 5 ? log : other))
      return log.append([message(data)])
    })
    await Promise.all(appends)
    const all = await held(log, 50)
    for (const recorder of recorders) {
      await recorder.has(50)
      checkWhole(t, recorder)
      t.strictSame(recorder.cursors, all.cursors)
    }
  })

  t.test('who has stopped is not called any more; the others are', async t => {
    const { log } = await begin(t, create)
    const stopped = new Recorder()
    const stop = log.follow(stopped)
    const stays = record(log)
    await log.append([message(1)])
    await stopped.has(1)
    stop()
    stop()
    const { calls } = stopped
    await log.append([message(2)])
    await stays.has(2)
    t.equal(stopped.calls, calls)
    t.strictSame(stays.story, [1, 2])
  })

  t.test('who stops while being told, or stops somebody else, ends that at once', async t => {
    const { log } = await begin(t, create)
    const stays = record(log)
    let applied = 0
    const stops: (() => void)[] = []
    const stopper: Follower = {
      reset: () => {},
      apply: () => {
        applied += 1
        for (const stop of stops) stop()
      },
    }
    stops.push(log.follow(stopper), log.follow({ ...stopper }))
    await log.append([message(1)])
    await log.append([message(2)])
    await stays.has(2)
    t.equal(applied, 1, 'the first of the two was told, once')
  })

  t.test('a closed log calls nobody and takes nothing', async t => {
    const { log } = await begin(t, create)
    const recorder = record(log)
    await log.append([message(1)])
    await recorder.has(1)
    await log.close()
    const { calls } = recorder
    await t.rejects(log.append([message(2)]))
    await t.rejects(log.append([]))
    const late = record(log)
    await log.close()
    await new Promise(resolve => setImmediate(resolve))
    t.equal(recorder.calls, calls)
    t.equal(late.calls, 0)
  })
}

function entryCases(t: Test, create: CreateLog): void {
  t.test('an entry has the keys of its message and expires when its ttl is over', async t => {
    const { log } = await begin(t, create)
    const keys = [routingKey.channel('a'), routingKey.uid('5'), routingKey.broadcast]
    await log.append([
      message('for ever', { keys }),
      message('never', { ttlMs: 0 }),
      message('5 s', { ttlMs: 5_000 }),
    ])
    const [forEver, never, fiveSeconds] = (await held(log, 3)).entries
    t.match(forEver, { keys, expiresMs: Number.POSITIVE_INFINITY })
    t.match(never, { expiresMs: never?.cursor.ms })
    t.match(fiveSeconds, { expiresMs: (fiveSeconds?.cursor.ms ?? 0) + 5_000 })
  })

  t.test('whatever a message holds comes out as it went in', async t => {
    const { log, other } = await begin(t, create)
    const recorder = record(other)
    await log.append(nastyData.map(data => message(data)))
    await recorder.has(nastyData.length)
    for (const [index, data] of nastyData.entries()) {
      // JSON on both sides, because a deep comparison overlooks an own property called __proto__.
      t.equal(JSON.stringify(recorder.story[index]), JSON.stringify(data))
    }
    for (const entry of recorder.entries) {
      if (entry.kind === 'message') t.strictSame(entry.frame.cursor, entry.cursor)
    }
  })

  t.test('whatever a channel or a user is called, it is called the same afterwards', async t => {
    const { log, other } = await begin(t, create)
    const recorder = record(other)
    const keys = nastyNames.flatMap(name => [routingKey.channel(name), routingKey.uid(name)])
    await log.append([message('all', { keys })])
    await log.append(nastyNames.map(uid => ({ kind: 'kick', uid, holdMs: 0 })))
    await recorder.has(1 + nastyNames.length)
    const [first, ...kicks] = recorder.entries
    t.strictSame(first?.kind === 'message' && first.keys, keys)
    t.strictSame(
      kicks.map(entry => entry.kind === 'command' && entry.command.kind === 'kick' && entry.command.uid),
      nastyNames,
    )
  })
}
