import t from 'tap'
import type { Owner, Subscriber } from '../../src/hub/subscriber.js'
import { FakeClock } from '../helpers/clock.js'
import { createTestHub, type FakeSink } from '../helpers/hub.js'

/** A hub with presence, and who was reported. */
function begin(overrides: Parameters<typeof createTestHub>[0] = {}) {
  const reported: string[] = []
  const test = createTestHub({
    clock: new FakeClock(),
    onPresence: (uid, event) => reported.push(`${uid} ${event}`),
    ...overrides,
  })
  const { hub, join } = test
  /** Somebody whom the viewers may see; what it sees itself is in its `ready`. */
  const come = (uid: string | null, visibleTo: readonly string[] = [], heardMs?: number, sink?: FakeSink) => {
    const sees = () => JSON.stringify({ presence: uid === null ? [] : hub.presence.seenBy(uid) })
    const owner: Owner = {
      due: () => {},
      recheck: () => {},
      reconsider: () => {},
      renew: subscriber => hub.renew(subscriber, sees()),
    }
    return join([], { uid, visibleTo, heardMs, owner, ready: sees(), ...(sink && { sink }) })
  }
  return { ...test, reported, come }
}

/** The `presence` of each `ready` that the sink was given. */
function told(sink: FakeSink): unknown[] {
  return sink.frames.filter(({ event }) => event === 'ready').map(({ json }) => JSON.parse(json).presence)
}

/** What the sink was given beside the first `ready`. */
const after = (sink: FakeSink) => sink.story.slice(1).filter(word => word !== 'heartbeat')

t.test('the first connection is online, the end of the last one is offline when the grace is over', t => {
  const { hub, clock, come, reported } = begin()
  const viewer = come('7')
  const one = come('5', ['7', '8'])
  const two = come('5', ['7', '8'])
  t.same(after(viewer.sink), ['5 online'])
  hub.leave(one.subscriber)
  clock.advance(60_000)
  t.same(after(viewer.sink), ['5 online'])
  hub.leave(two.subscriber)
  clock.advance(4_999)
  t.same(after(viewer.sink), ['5 online'])
  t.same(hub.presence.seenBy('7'), ['5'], 'a user in the grace is online')
  clock.advance(1)
  t.same(after(viewer.sink), ['5 online', '5 offline'])
  t.same(hub.presence.seenBy('7'), [])
  t.same(reported, ['7 online', '5 online', '5 offline'])
  t.end()
})

t.test('a change is a message without an id', t => {
  const { come } = begin()
  const { sink } = come('7')
  come('5', ['7'])
  t.equal(
    sink.frames.at(-1)?.bytes.toString(),
    'data: {"type":"presence","data":{"uid":"5","event":"online"}}\n\n',
  )
  t.end()
})

t.test('a user who changes pages ten times, each within 3 s, causes no event', t => {
  const { hub, clock, come, reported } = begin()
  const viewer = come('7')
  let page = come('5', ['7'])
  for (let change = 0; change < 10; change++) {
    hub.leave(page.subscriber)
    clock.advance(3_000)
    page = come('5', ['7'])
    clock.advance(1_500)
  }
  t.same(after(viewer.sink), ['5 online'])
  t.same(reported, ['7 online', '5 online'])
  hub.leave(page.subscriber)
  clock.advance(5_000)
  t.same(after(viewer.sink), ['5 online', '5 offline'], 'and the last departure is one')
  t.end()
})

t.test('each user has a grace of one’s own, also when the first to leave comes back', t => {
  const { hub, clock, come } = begin()
  const { sink } = come('7')
  const [one, two, three] = [come('1', ['7']), come('2', ['7']), come('3', ['7'])]
  for (const { subscriber } of [one, two, three]) {
    hub.leave(subscriber)
    clock.advance(1_000)
  }
  const again = come('1', ['7'])
  clock.advance(2_999)
  t.same(after(sink), ['1 online', '2 online', '3 online'])
  clock.advance(1)
  t.same(after(sink).slice(3), ['2 offline'])
  hub.leave(again.subscriber)
  clock.advance(1_000)
  t.same(after(sink).slice(3), ['2 offline', '3 offline'])
  clock.advance(4_000)
  t.same(after(sink).slice(3), ['2 offline', '3 offline', '1 offline'])
  t.end()
})

t.test('who comes is told in ready of those who are there and may be seen, sorted, and of no others', t => {
  const { come } = begin()
  come('9', ['7', '8'])
  come('10', ['7'])
  come('5', ['8'])
  come('6')
  t.same(told(come('7').sink), [['10', '9']])
  t.same(told(come('8').sink), [['5', '9']])
  t.same(told(come('6').sink), [[]])
  t.end()
})

t.test('all connections of a viewer are told, and nobody else', t => {
  const { come } = begin()
  const viewers = [come('7'), come('7')]
  const others = [come('8'), come(null), come('5', ['7'])]
  for (const { sink } of viewers) t.same(after(sink), ['5 online'])
  for (const { sink } of others) t.same(after(sink), [])
  t.end()
})

t.test('an anonymous reader is never online, whatever its identity says', t => {
  const { hub, clock, come, reported } = begin()
  const { sink } = come('7')
  const { subscriber } = come(null, ['7'])
  hub.leave(subscriber)
  clock.advance(60_000)
  t.same(after(sink), [])
  t.same(reported, ['7 online'])
  t.end()
})

t.test('a user may be among those who see the user', t => {
  const { hub, clock, come } = begin()
  const first = come('5', ['5'])
  t.same(first.sink.story, ['ready', '5 online'])
  const second = come('5', ['5'])
  t.same(told(second.sink), [['5']])
  hub.leave(first.subscriber)
  clock.advance(60_000)
  t.same(after(second.sink), [])
  t.end()
})

t.test('whom nobody may see, and nobody wants to know of, is not kept track of', t => {
  const { hub, clock, come } = begin({ onPresence: undefined })
  const viewer = come('7')
  const hidden = come('5')
  const seen = come('5', ['7'])
  t.same(after(viewer.sink), ['5 online'])
  hub.leave(seen.subscriber)
  clock.advance(5_000)
  t.same(after(viewer.sink), ['5 online', '5 offline'], 'the hidden connection does not count')
  hub.leave(hidden.subscriber)
  clock.advance(60_000)
  t.same(after(viewer.sink), ['5 online', '5 offline'])
  t.end()
})

t.test('when the CMS says that others may see a user, these learn of it, and the others of the loss', t => {
  const { hub, clock, come, reported } = begin()
  const [seven, eight, nine] = [come('7'), come('8'), come('9')]
  const { subscriber } = come('5', ['7', '8'], 1)
  hub.reveal(subscriber, ['8', '9', '9'], 2)
  clock.turn()
  t.same(after(seven.sink), ['5 online', '5 offline'])
  t.same(after(eight.sink), ['5 online'])
  t.same(after(nine.sink), ['5 online'])
  t.same(
    ['7', '8', '9'].map(viewer => hub.presence.seenBy(viewer)),
    [[], ['5'], ['5']],
  )
  hub.reveal(subscriber, ['9', '8'], 3)
  clock.turn()
  t.same(after(eight.sink), ['5 online'], 'in another order they are the same')
  hub.leave(subscriber)
  clock.advance(5_000)
  t.same(after(nine.sink), ['5 online', '5 offline'])
  t.same(after(eight.sink), ['5 online', '5 offline'])
  t.same(after(seven.sink), ['5 online', '5 offline'], 'who could not see it any more is not told')
  t.same(reported, ['7 online', '8 online', '9 online', '5 online', '5 offline'])
  t.end()
})

for (const wanted of [true, false]) {
  const whether = wanted ? 'with' : 'without'
  t.test(`a user may be hidden and shown again while connected, ${whether} an events URL`, t => {
    const { hub, clock, come } = begin(wanted ? {} : { onPresence: undefined })
    const viewer = come('7')
    const { subscriber } = come('5', ['7'])
    hub.reveal(subscriber, [], 1)
    clock.advance(60_000)
    t.same(after(viewer.sink), ['5 online', '5 offline'])
    hub.reveal(subscriber, ['7'], 2)
    clock.advance(60_000)
    t.same(after(viewer.sink), ['5 online', '5 offline', '5 online'])
    hub.leave(subscriber)
    clock.advance(5_000)
    t.same(after(viewer.sink).at(-1), '5 offline')
    t.same(after(viewer.sink).length, 4)
    t.end()
  })
}

t.test('of two tokens the answer that is newer holds, however often the other one comes back', t => {
  const { hub, clock, come } = begin()
  const viewer = come('7')
  const [phone, desk] = [come('5', ['7'], 1_000), come('5', [], 2_000)]
  t.same(after(viewer.sink), ['5 online', '5 offline'])
  let poll = phone
  for (let round = 0; round < 5; round++) {
    hub.leave(poll.subscriber)
    poll = come('5', ['7'], 1_000)
  }
  t.same(after(viewer.sink), ['5 online', '5 offline'])
  hub.reveal(poll.subscriber, ['7'], 3_000)
  clock.turn()
  t.same(after(viewer.sink), ['5 online', '5 offline', '5 online'])
  hub.leave(poll.subscriber)
  clock.advance(60_000)
  t.same(after(viewer.sink).length, 3, 'it holds for all connections of the user')
  hub.leave(desk.subscriber)
  clock.advance(5_000)
  t.same(after(viewer.sink).at(-1), '5 offline')
  come('5', ['7'], 500)
  t.same(after(viewer.sink).at(-1), '5 online', 'and no longer than the user is online')
  t.end()
})

t.test('a user who is kicked is offline when the grace is over', async t => {
  const { log, clock, come } = begin()
  const { sink } = come('7')
  come('5', ['7'])
  await log.append([{ kind: 'kick', uid: '5', holdMs: 5_000 }])
  clock.advance(4_999)
  t.same(after(sink), ['5 online'])
  clock.advance(1)
  t.same(after(sink), ['5 online', '5 offline'])
})

t.test('in the quiet time nobody is told; then each viewer once, where something has changed', t => {
  const { hub, clock, come, reported } = begin({ presenceQuietMs: 10_000 })
  const early = come('7')
  const left = come('8')
  const idle = come('9')
  come('5', ['7'])
  const passing = come('6', ['7', '8'])
  hub.leave(passing.subscriber)
  t.same(told(come('7').sink), [['5', '6']], 'ready is right meanwhile')
  hub.leave(left.subscriber)
  clock.advance(9_999)
  t.same(after(early.sink), [])
  t.same(reported, [])
  clock.advance(1)
  t.same(told(early.sink), [[], ['5']])
  t.same(told(idle.sink), [[]])
  come('10', ['7'])
  t.same(after(early.sink), ['ready', '10 online'])
  t.same(reported, ['10 online'])
  t.end()
})

t.test('a server that goes away calls nobody offline', t => {
  const { hub, clock, come, reported } = begin()
  const viewer = come('7')
  come('5', ['7'])
  const leaving = come('6', ['7'])
  hub.leave(leaving.subscriber)
  hub.presence.stop()
  hub.closeAll('shutdown')
  clock.advance(60_000)
  t.same(after(viewer.sink), ['5 online', '6 online', 'close shutdown'])
  t.same(reported, ['7 online', '5 online', '6 online'])
  t.end()
})

/** Has users come whom user 7 may see; every second one goes offline. */
function crowd({ hub, clock, come }: ReturnType<typeof begin>, count: number): void {
  const gone: Subscriber[] = []
  for (let index = 0; index < count; index++) {
    const { subscriber } = come(`user-${index}`, ['7'])
    if (index % 2 === 1) gone.push(subscriber)
  }
  for (const subscriber of gone) hub.leave(subscriber)
  clock.advance(5_000)
}

t.test('thousands of changes fill no outbox; who reads again is told who is there', async t => {
  const outboxBytes = 64 * 1024
  const test = begin({ outboxBytes, heartbeatMs: 1e9 })
  const { hub, clock, come, publish } = test
  const { sink, subscriber } = come('7')
  sink.isBlocked = true
  let most = 0
  const before = hub.counters.deliveries
  await publish({ broadcast: true, data: 1 })
  for (let round = 0; round < 3; round++) {
    crowd(test, 2_000)
    most = Math.max(most, subscriber.pending?.bytes ?? 0)
  }
  t.ok(most <= outboxBytes, `${most} bytes waited`)
  t.ok(hub.counters.overflows >= 1)
  t.ok(hub.counters.deliveries - before < 30_000)
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  t.same(sink.story.slice(0, 3), ['ready', 'message 1', 'ready'], 'and the message was not lost')
  t.same(told(sink).at(-1), hub.presence.seenBy('7'))
  t.equal(hub.presence.seenBy('7').length, 1_000)
  come('late', ['7'])
  t.equal(sink.story.at(-1), 'late online', 'then changes come again')
})

t.test('a reset drops what waits, so who is online is told anew', async t => {
  const { hub, clock, come, publish } = begin()
  const { sink, subscriber } = come('7')
  sink.isBlocked = true
  await publish({ broadcast: true, data: 1 })
  come('5', ['7'])
  hub.reset({ ms: 1_700_000_100_000, n: 7 }, 1_700_000_100_000)
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  t.same(sink.story, ['ready', 'gap reset', 'ready'])
  t.same(told(sink).at(-1), ['5'])
})

t.test('who lost nothing is not told anew', async t => {
  const { hub, clock, come, publish } = begin({ outboxBytes: 1_000 })
  const { sink, subscriber } = come('7')
  sink.isBlocked = true
  for (let index = 0; index < 50; index++) await publish({ broadcast: true, data: 1 })
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  t.equal(hub.counters.overflows, 1)
  t.equal(told(sink).length, 1)
})

t.test('presence alone that overflows an outbox costs no message and makes no gap', async t => {
  // What it had got of its channels is long forgotten by the window; it lacks nothing of them.
  const test = begin({ outboxBytes: 2_000, retention: { entries: 2, ageMs: 1e9, bytes: 1e9 } })
  const { hub, clock, come, publish } = test
  const { sink, subscriber } = come('7')
  await publish({ uid: '7', data: 1 })
  for (let index = 0; index < 5; index++) await publish({ channel: 'other', data: 1 })
  sink.isBlocked = true
  crowd(test, 100)
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  await publish({ uid: '7', data: 2 })
  t.equal(subscriber.state, 'live')
  t.equal(hub.counters.gaps, 0)
  t.same(after(sink), ['message 1', 'ready', 'message 7'])
  t.equal(JSON.stringify(told(sink).at(-1)), JSON.stringify(hub.presence.seenBy('7')))
})
