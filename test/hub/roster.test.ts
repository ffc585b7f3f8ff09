import t from 'tap'
import { routingKey } from '../../src/message.js'
import { createTestHub, FakeSink } from '../helpers/hub.js'

t.test('a subscriber has a number in the order of joining, and the time at which it joined', async t => {
  const { hub, clock, join } = createTestHub()
  const first = join(['a']).subscriber
  clock.advance(5_000)
  const second = join(['a', 'b']).subscriber
  clock.advance(1_500)
  // Somebody sets the machine's clock: the time that went by is still what it was.
  clock.jump(3_600_000)
  t.ok(second.id > first.id)
  t.equal(hub.roster.standing(first).sinceMs, clock.now() - 6_500)
  t.equal(hub.roster.standing(second).sinceMs, clock.now() - 1_500)
})

t.test('one who reads all is not behind, however much others get', async t => {
  const { hub, join, publish } = createTestHub()
  const { subscriber } = join(['quiet'])
  await publish([1, 2, 3].map(data => ({ channel: 'busy', data })))
  t.match(hub.roster.standing(subscriber), { state: 'live', behind: 0, queuedBytes: 0 })
  await publish({ channel: 'quiet', data: 4 })
  t.match(hub.roster.standing(subscriber), { state: 'live', behind: 0, queuedBytes: 0 })
})

t.test('one who does not read is behind by all since the first message that waits for it', async t => {
  const { hub, join, publish } = createTestHub()
  const { subscriber, sink } = join(['a'])
  sink.isBlocked = true
  await publish({ channel: 'b', data: 1 })
  t.match(hub.roster.standing(subscriber), { behind: 0, queuedBytes: 0 })
  await publish([1, 2, 3].map(data => ({ channel: 'a', data })))
  await publish({ channel: 'b', data: 2 })
  const standing = hub.roster.standing(subscriber)
  t.match(standing, { state: 'live', behind: 4 })
  t.ok(standing.queuedBytes > 100)
  sink.isBlocked = false
  hub.drained(subscriber)
})

t.test('one whose outbox overflowed, or who is ahead, is in another state', async t => {
  const { hub, window, join, publish } = createTestHub({ outboxBytes: 2_000 })
  const { subscriber, sink } = join(['a'])
  sink.isBlocked = true
  await publish([1, 2, 3].map(() => ({ channel: 'a', data: 'x'.repeat(900) })))
  t.match(hub.roster.standing(subscriber), { state: 'catching-up', behind: 3, queuedBytes: 0 })
  const { ms, n } = window.applied
  const ahead = join(['a'], { since: { cursor: { ms, n: n + 5 } }, sink: new FakeSink() }).subscriber
  t.match(hub.roster.standing(ahead), { state: 'waiting', behind: 0 })
})

t.test('those who left are not there any more', async t => {
  const { hub, join } = createTestHub()
  const { subscriber } = join(['a'], { uid: '5' })
  join(['a', 'b'])
  const { roster } = hub
  t.equal(roster.count(routingKey.channel('a')), 2)
  hub.leave(subscriber)
  t.equal(roster.count(routingKey.channel('a')), 1)
  t.equal(roster.count(routingKey.uid('5')), 0)
  t.strictSame([...roster.keys()].sort(), ['*', 'c:a', 'c:b'])
  t.throws(() => roster.standing(subscriber))
})
