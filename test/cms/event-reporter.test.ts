import t from 'tap'
import { EventReporter } from '../../src/cms/event-reporter.js'
import type { Answer } from '../../src/cms/json-post.js'
import { FakeClock } from '../helpers/clock.js'
import { settled } from '../helpers/verifier.js'

interface Call {
  readonly event: string
  answer(status: number): Promise<void>
  fail(): Promise<void>
}

/** A reporter whose calls a test answers, with time that stands still. */
function begin() {
  const clock = new FakeClock()
  const calls: Call[] = []
  const log: string[] = []
  let isClosed = false
  const post = {
    send: (value: unknown) =>
      new Promise<Answer>((resolve, reject) => {
        const { uid, type } = Object(value)
        calls.push({
          event: `${uid} ${type}`,
          answer: async status => {
            resolve({ status, contentType: undefined, text: '' })
            await settled()
          },
          fail: async () => {
            reject(new Error('the events URL could not be reached: ECONNREFUSED'))
            await settled()
          },
        })
      }),
    statusProblem: (status: number, expected: string) => `${status}, not ${expected}`,
    close: () => {
      isClosed = true
    },
  }
  const warn = (data: object, sentence: string) => log.push(`${sentence} ${JSON.stringify(data)}`)
  const reporter = new EventReporter({ clock, post, warn })
  return {
    clock,
    calls,
    log,
    reporter,
    isClosed: () => isClosed,
    online: (uid: string) => reporter.report({ uid, type: 'online' }),
    offline: (uid: string) => reporter.report({ uid, type: 'offline' }),
    events: () => calls.map(({ event }) => event),
  }
}

t.test('the CMS is told at once, of each event once', async t => {
  const { reporter, calls, events, online, offline } = begin()
  for (const status of [200, 201, 204, 299]) {
    online('5')
    await calls.at(-1)?.answer(status)
    offline('5')
    await calls.at(-1)?.answer(status)
  }
  t.equal(events().length, 8)
  t.strictSame(reporter.counters, { told: 8, failures: 0, lost: 0 })
  t.strictSame(reporter.size, { waiting: 0, running: 0 })
})

t.test('of one user there is one call at a time, of several users several', async t => {
  const { calls, events, online, offline, reporter } = begin()
  online('5')
  offline('5')
  online('6')
  t.strictSame(events(), ['5 online', '6 online'])
  t.strictSame(reporter.size, { waiting: 1, running: 2 })
  await calls[1]?.answer(200)
  t.strictSame(events(), ['5 online', '6 online'])
  await calls[0]?.answer(200)
  t.strictSame(events(), ['5 online', '6 online', '5 offline'])
})

t.test('sixteen calls are made at once, and the next when one is done', async t => {
  const { calls, online } = begin()
  for (let uid = 0; uid < 40; uid++) online(String(uid))
  t.equal(calls.length, 16)
  await calls[3]?.answer(200)
  t.equal(calls.length, 17)
})

t.test('what is not taken is tried again, later each time, before what came after it', async t => {
  for (const bad of [301, 400, 404, 429, 500, 503, undefined]) {
    const { clock, calls, events, online, offline } = begin()
    online('5')
    offline('5')
    const fail = (call: Call | undefined) => (bad === undefined ? call?.fail() : call?.answer(bad))
    for (const mostMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const before = calls.length
      await fail(calls.at(-1))
      clock.advance(mostMs / 2 - 1)
      t.equal(calls.length, before, 'not too early')
      clock.advance(mostMs / 2 + 1)
      t.equal(calls.length, before + 1, 'and not too late')
    }
    t.strictSame([...new Set(events())], ['5 online'])
    await calls.at(-1)?.answer(200)
    t.equal(events().at(-1), '5 offline')
    await fail(calls.at(-1))
    clock.advance(1_000)
    t.equal(events().at(-1), '5 offline', 'each event begins with a short pause')
  }
})

t.test('the pauses of those who failed together are spread', async t => {
  const { clock, calls, online } = begin()
  for (let uid = 0; uid < 16; uid++) online(String(uid))
  for (const call of [...calls]) await call.fail()
  let seen = calls.length
  const times = new Set<number>()
  for (let ms = 0; ms < 1_000; ms++) {
    clock.advance(1)
    if (calls.length > seen) times.add(ms)
    while (seen < calls.length) await calls[seen++]?.fail()
  }
  t.ok(times.size > 5, `${times.size} different times`)
  t.ok(Math.min(...times) >= 499)
})

t.test('while calls fail one is made at a time; when one is taken all go on', async t => {
  const { clock, calls, online } = begin()
  for (let uid = 0; uid < 16; uid++) online(String(uid))
  for (const call of [...calls]) await call.fail()
  clock.advance(30_000)
  t.equal(calls.length, 17)
  for (let uid = 100; uid < 200; uid++) online(String(uid))
  t.equal(calls.length, 17)
  await calls.at(-1)?.answer(200)
  t.equal(calls.length, 17 + 16)
})

t.test('a user whose events are never taken holds up no other', async t => {
  const { clock, calls, online, reporter } = begin()
  online('bad')
  for (let round = 0; round < 50; round++) {
    online(String(round))
    for (const call of calls.splice(0))
      await (call.event === 'bad online' ? call.answer(500) : call.answer(200))
    for (const call of calls.splice(0)) await call.answer(200)
    t.equal(reporter.counters.told, round + 1)
    clock.advance(1_000)
  }
})

t.test('an event is given up after ten minutes, and the next one has its chance', async t => {
  const { clock, calls, events, online, offline, reporter, log } = begin()
  online('5')
  clock.advance(300_000)
  offline('5')
  await calls.at(-1)?.fail()
  let seen = 1
  while (events().at(-1) === '5 online') {
    clock.advance(1_000)
    if (calls.length > seen) {
      seen = calls.length
      if (events().at(-1) === '5 online') await calls.at(-1)?.fail()
    }
    if (clock.monotonic() > 1_700_000_000_000 + 1_000_000) break
  }
  t.equal(events().at(-1), '5 offline')
  await calls.at(-1)?.answer(200)
  t.match(reporter.counters, { told: 1, lost: 1 })
  t.strictSame(reporter.size, { waiting: 0, running: 0 })
  t.equal(log.length, 2)
  t.match(log[0], /tried again.*ECONNREFUSED/)
  t.match(log[1], /not told.*"lost":1/)
})

t.test('what waits is bounded: the oldest is dropped, counted and logged now and then', async t => {
  const { clock, calls, events, online, offline, reporter, log } = begin()
  for (let uid = 0; uid < 16; uid++) online(String(uid))
  for (let index = 0; index < 10_000; index++) offline(String(index % 5_000))
  t.strictSame(reporter.size, { waiting: 10_000, running: 16 })
  t.equal(reporter.counters.lost, 0)
  for (let index = 0; index < 500; index++) online('late')
  t.strictSame(reporter.size, { waiting: 10_000, running: 16 })
  t.equal(reporter.counters.lost, 500)
  t.strictSame(
    log.filter(line => line.includes('too many')),
    ['events were not told to the CMS: too many waited, or for too long {"lost":1}'],
  )
  clock.advance(10_000)
  online('later')
  t.match(log.at(-1), /"lost":501/)
  for (let done = 0; done < calls.length; done++) await calls[done]?.answer(200)
  t.strictSame(reporter.size, { waiting: 0, running: 0 })
  t.equal(reporter.counters.told, 10_016)
  t.strictSame(
    events().filter(event => event.startsWith('3 ')),
    ['3 online', '3 offline'],
    'what is under way is not dropped; of what waited the oldest was',
  )
  t.strictSame(
    events().filter(event => event.startsWith('4999 ')),
    ['4999 offline', '4999 offline'],
  )
})

t.test('an outage is one line of the log', async t => {
  const { clock, calls, online, log } = begin()
  for (let uid = 0; uid < 16; uid++) online(String(uid))
  for (let done = 0; done < 200; done++) {
    await calls[done]?.fail()
    clock.advance(2_000)
  }
  t.equal(log.length, 1)
})

t.test('at the end what waits is tried for a second, then given up', async t => {
  const { clock, calls, events, online, offline, reporter, isClosed } = begin()
  online('5')
  offline('5')
  online('6')
  await calls[0]?.fail()
  let isDone = false
  const closing = reporter.close().then(() => {
    isDone = true
  })
  online('7')
  t.strictSame(events(), ['5 online', '6 online'], 'one at a time, for it was failing')
  await calls[1]?.answer(200)
  t.strictSame(events(), ['5 online', '6 online', '5 online'], 'without waiting for its time')
  clock.advance(999)
  await settled()
  t.notOk(isDone)
  clock.advance(1)
  await closing
  t.ok(isClosed())
  t.equal(reporter.counters.lost, 2)
  await calls[2]?.fail()
  clock.advance(60_000)
  t.equal(calls.length, 3, 'nothing is left running')
})

t.test('at the end it waits no longer than until everything is told', async t => {
  const { calls, online, reporter, isClosed } = begin()
  online('5')
  const closing = reporter.close()
  t.notOk(isClosed())
  await calls[0]?.answer(200)
  await closing
  t.ok(isClosed())
  t.strictSame(reporter.counters, { told: 1, failures: 0, lost: 0 })
  t.equal(reporter.close(), reporter.close())
  await begin().reporter.close()
})
