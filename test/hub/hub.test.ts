import t from 'tap'
import { parseSince } from '../../src/cursor.js'
import { createTestHub, FakeSink } from '../helpers/hub.js'

const news = { channel: 'news', data: 1 }

t.test('a message reaches those who listen on its channel, and nobody else', async t => {
  const { publish, join } = createTestHub()
  const reader = join(['news'])
  const other = join(['sport'])
  await publish(news)
  t.same(reader.sink.story, ['ready', 'message 1'])
  t.same(other.sink.story, ['ready'])
})

t.test('a message to several channels reaches a subscriber of more than one of them once', async t => {
  const { publish, join } = createTestHub()
  const { sink } = join(['a', 'b'])
  await publish({ channels: ['a', 'b', 'c'], data: 1 })
  t.same(sink.story, ['ready', 'message 1'])
})

t.test(
  'what is published in one turn is written in one piece, shared by all with the same queue',
  async t => {
    const { log, clock, join } = createTestHub()
    const pieces: Buffer[] = []
    for (let index = 0; index < 3; index++) {
      const { sink } = join(['news'])
      const write = sink.write.bind(sink)
      sink.write = batch => {
        pieces.push(batch.joined)
        write(batch)
      }
    }
    for (let data = 0; data < 5; data++) await log.append([{ kind: 'message', keys: ['c:news'], json: '{}' }])
    t.equal(pieces.length, 0, 'nothing is written before the turn ends')
    clock.turn()
    t.equal(pieces.length, 3, 'one write a subscriber')
    t.equal(new Set(pieces).size, 1, 'of the same bytes')
  },
)

t.test('a cursor is resumed from the window, in pages, and goes live without a hole', async t => {
  const { publish, join, window } = createTestHub()
  const first = join(['news'])
  const start = first.sink.frames[0]?.cursor
  await publish(Array.from({ length: 20 }, () => news))
  const { subscriber, sink } = join(['news'], {
    sink: new FakeSink(200),
    since: start && { cursor: start },
  })
  await publish(news)
  t.same(sink.story, ['ready', ...Array.from({ length: 21 }, (_, index) => `message ${index + 1}`)])
  t.equal(subscriber.state, 'live')
  t.equal(window.applied.n, 21)
})

t.test('an overflowing outbox is dropped and read again from the window, on the same socket', async t => {
  const { publish, join, hub } = createTestHub({ outboxBytes: 1_000 })
  const { subscriber, sink } = join(['news'], { sink: new FakeSink(300) })
  sink.isBlocked = true
  for (let index = 0; index < 50; index++) await publish(news)
  t.equal(subscriber.state, 'catching-up')
  t.equal(subscriber.pending, undefined)
  t.equal(hub.counters.overflows, 1)
  sink.isBlocked = false
  hub.drained(subscriber)
  await publish(news)
  t.same(sink.story, ['ready', ...Array.from({ length: 51 }, (_, index) => `message ${index + 1}`)])
})

t.test('an overflow keeps what is not a message: a ready that waits is not lost', async t => {
  const { publish, join, hub, clock } = createTestHub({ outboxBytes: 1_000 })
  const { subscriber, sink } = join(['news'])
  sink.isBlocked = true
  hub.update(subscriber, subscriber.keys, '{"v":"2"}')
  for (let index = 0; index < 50; index++) await publish(news)
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  t.same(sink.story.slice(0, 3), ['ready', 'ready', 'message 1'])
})

t.test('a subscriber whose place was evicted while it was slow is told of a gap', async t => {
  const { publish, join, hub, clock } = createTestHub({
    outboxBytes: 500,
    retention: { entries: 10, ageMs: 1e9, bytes: 1e9 },
  })
  const { subscriber, sink } = join(['news'])
  sink.isBlocked = true
  for (let index = 0; index < 50; index++) await publish(news)
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  await publish(news)
  t.same(sink.story, ['ready', 'gap old', 'message 51'])
})

t.test('who makes no progress is closed as slow, and cut when even that is not read', t => {
  const { join, hub, clock } = createTestHub({ slowAfterMs: 2_000 })
  const { subscriber, sink } = join(['news'])
  sink.isBlocked = true
  hub.drained(subscriber)
  const write = FakeSink.prototype.write
  sink.isBlocked = false
  sink.write = batch => {
    write.call(sink, batch)
    sink.isBlocked = true
  }
  hub.update(subscriber, subscriber.keys, '{}')
  clock.advance(1_500)
  t.equal(subscriber.state, 'live')
  clock.advance(1_500)
  t.equal(subscriber.state, 'closed')
  t.same(sink.story, ['ready', 'ready', 'close slow'])
  t.notOk(sink.isDestroyed)
  clock.advance(3_000)
  t.ok(sink.isDestroyed)
  t.equal(hub.size, 0)
  t.end()
})

t.test('who is blocked is closed as slow also when a gap comes meanwhile', t => {
  const { join, hub, clock } = createTestHub({ slowAfterMs: 2_000 })
  const sink = new FakeSink()
  const write = sink.write
  sink.write = batch => {
    write.call(sink, batch)
    sink.isBlocked = true
  }
  const { subscriber } = join(['news'], { sink })
  hub.reset({ ms: 1_700_000_100_000, n: 7 }, 1_700_000_100_000)
  clock.advance(3_000)
  t.equal(subscriber.state, 'closed')
  t.same(sink.story, ['ready', 'close slow'])
  t.end()
})

t.test('a cursor ahead of this node is waited for, then it is a gap', async t => {
  const { publish, join, clock } = createTestHub()
  const ahead = parseSince('1700000000000-2')
  const patient = join(['news'], { since: ahead })
  await publish([news, news, news])
  t.same(patient.sink.story, ['ready', 'message 3'], 'the node got there in time')
  const disappointed = join(['news'], { since: parseSince('1700000000000-99') })
  clock.advance(4_000)
  t.same(disappointed.sink.story, ['ready'])
  t.equal(disappointed.sink.frames[0]?.cursor?.n, 99, 'ready carries the cursor that was given')
  clock.advance(2_000)
  t.same(disappointed.sink.story, ['ready', 'gap ahead'])
  t.match(JSON.parse(disappointed.sink.frames[1]?.json ?? '{}'), { since: '1700000000000-99' })
  await publish(news)
  t.same(disappointed.sink.story, ['ready', 'gap ahead', 'message 4'])
})

t.test('a place that was waited for and is another one when it comes is a gap', async t => {
  // A log that lost its tail goes on counting where it was: the same n, another entry.
  const { clock, publish, join } = createTestHub()
  await publish(news)
  const { sink } = join(['news'], { since: { cursor: { ms: clock.now() + 5, n: 3 } } })
  clock.advance(10)
  await publish([news, news])
  await publish(news)
  t.same(sink.story, ['ready', 'gap unknown', 'message 4'])
})

t.test(
  'a ready before a gap carries the old cursor, so that a cut between the two hides nothing',
  async t => {
    const { publish, join, window } = createTestHub({ retention: { entries: 2, ageMs: 1e9, bytes: 1e9 } })
    await publish(Array.from({ length: 10 }, () => news))
    const { sink } = join(['news'], { since: parseSince('1700000000000-3') })
    t.same(sink.story, ['ready', 'gap old'])
    t.equal(sink.frames[0]?.cursor?.n, 3)
    t.equal(sink.frames[1]?.cursor?.n, window.applied.n)
    const lost = join(['news'], { since: 'malformed' })
    t.same(lost.sink.story, ['ready', 'gap malformed'])
    t.equal(lost.sink.frames[0]?.cursor, undefined)
  },
)

t.test('heartbeats carry the applied place, each interval, and only to who has everything', async t => {
  const { publish, join, clock } = createTestHub({ heartbeatMs: 10_000 })
  const { sink } = join(['news'])
  await publish({ channel: 'other', data: 1 })
  clock.advance(30_500)
  const beats = sink.frames.filter(({ event }) => event === 'heartbeat')
  t.ok(beats.length === 3 || beats.length === 4, `${beats.length} heartbeats in 30 s`)
  t.ok(beats.every(({ cursor }) => cursor?.n === 1))
})

t.test('messages take the place of heartbeats, and silence is never longer than the interval', async t => {
  const { publish, join, clock } = createTestHub({ heartbeatMs: 10_000 })
  const { sink } = join(['news'])
  const beats = () => sink.frames.filter(({ event }) => event === 'heartbeat').length
  for (let time = 0; time < 40_000; time += 4_000) {
    await publish(news)
    clock.advance(4_000)
  }
  t.equal(beats(), 0)
  // Half a second: the ticks of the looks.
  clock.advance(6_500)
  t.equal(beats(), 1, 'ten seconds after the last message')
  clock.advance(10_500)
  t.equal(beats(), 2)
})

t.test('what names no place does not keep a heartbeat from being sent', async t => {
  const { hub, join, clock } = createTestHub({ heartbeatMs: 10_000 })
  const { sink, subscriber } = join(['news'])
  for (let time = 0; time < 22_000; time += 2_000) {
    hub.renew(subscriber, '{}')
    clock.advance(2_000)
  }
  t.equal(sink.frames.filter(({ event }) => event === 'heartbeat').length, 2)
})

t.test('a kick closes the connections of the user and no others', async t => {
  const { log, clock, join, commands, hub } = createTestHub()
  const one = join([], { uid: '5' })
  const two = join([], { uid: '5' })
  const other = join([], { uid: '6' })
  await log.append([{ kind: 'kick', uid: '5', holdMs: 5_000 }])
  clock.turn()
  t.same(one.sink.story, ['ready', 'close kick'])
  t.same(two.sink.story, ['ready', 'close kick'])
  t.same(other.sink.story, ['ready'])
  t.ok(one.sink.isEnded)
  t.equal(hub.size, 1)
  t.same(commands, [{ kind: 'kick', uid: '5', holdMs: 5_000 }])
})

t.test('a logout closes the connections of the token and no others', async t => {
  const { log, join } = createTestHub()
  const one = join([], { uid: '5', tokenHash: 'h1' })
  const other = join([], { uid: '5', tokenHash: 'h2' })
  await log.append([{ kind: 'logout', tokenHash: 'h1', holdMs: 60_000 }])
  t.same(one.sink.story, ['ready', 'close logout'])
  t.same(other.sink.story, ['ready'])
})

t.test('a message before a kick is still delivered, one after it is not', async t => {
  const { log, join } = createTestHub()
  const { sink } = join(['news'], { uid: '5' })
  const message = { kind: 'message', keys: ['c:news'], json: '{}' } as const
  await log.append([message, { kind: 'kick', uid: '5', holdMs: 0 }, message])
  t.same(sink.story, ['ready', 'message 1', 'close kick'])
})

t.test('a log that was begun anew is a gap for everybody, and what waited is dropped', async t => {
  const { hub, publish, join, clock } = createTestHub()
  const { sink, subscriber } = join(['news'])
  sink.isBlocked = true
  await publish(news)
  hub.reset({ ms: 1_700_000_100_000, n: 7 }, 1_700_000_100_000)
  sink.isBlocked = false
  hub.drained(subscriber)
  clock.turn()
  t.same(sink.story, ['ready', 'gap reset'])
  t.equal(sink.frames[1]?.cursor?.n, 7)
})

// A poll's answer was cut off by a stop: its cursor said *applied*, past messages that were not in it, and they were lost.
t.test('who is closed while blocked is not said to have what was dropped then', async t => {
  const { hub, join, publish } = createTestHub()
  const [blocked, free] = [join(['a']), join(['a'])]
  blocked.sink.isBlocked = true
  await publish({ channel: 'a', data: 1 })
  hub.closeAll('shutdown')
  t.strictSame(blocked.sink.story, ['ready', 'close shutdown'])
  t.equal(blocked.sink.reached, undefined)
  t.strictSame(free.sink.story, ['ready', 'message 1', 'close shutdown'])
  t.equal(free.sink.reached?.n, 1)
})

t.test('when everybody is closed, the return is spread over connections ÷ reconnect rate', t => {
  const { hub, join } = createTestHub({ reconnectRate: 10 })
  const sinks = Array.from({ length: 100 }, () => join([]).sink)
  hub.closeAll('shutdown')
  const waits = sinks.map(sink => JSON.parse(sink.frames.at(-1)?.json ?? '{}').retryMs as number)
  t.ok(Math.max(...waits) <= 10_000)
  t.ok(Math.max(...waits) > 8_000, 'measured before the first has gone')
  t.ok(Math.min(...waits) < 2_000)
  t.equal(hub.size, 0)
  t.end()
})

t.test('a close tells a plain EventSource by retry what it tells the script by retryMs', t => {
  const { hub, join } = createTestHub({ reconnectRate: 1 })
  const { subscriber, sink } = join([])
  hub.close(subscriber, 'shutdown')
  const last = sink.frames.at(-1)
  const { retryMs } = JSON.parse(last?.json ?? '{}')
  t.ok(last?.bytes.toString().startsWith(`retry: ${retryMs}\nevent: close\ndata: {`))
  const kicked = join([])
  hub.close(kicked.subscriber, 'kick')
  t.ok(
    kicked.sink.frames.at(-1)?.bytes.toString().startsWith('event: close\n'),
    'none for who may not come back',
  )
  t.end()
})

t.test('other channels take effect from now on, and are told by a new ready', async t => {
  const { hub, publish, join, clock } = createTestHub()
  const { sink, subscriber } = join(['news'])
  hub.update(subscriber, ['*', 'c:sport'], '{"v":"2"}')
  clock.turn()
  await publish([news, { channel: 'sport', data: 1 }])
  t.same(sink.story, ['ready', 'ready', 'message 2'])
})

t.test(
  'a message that is live only reaches those who are there, and is neither replayed nor missed',
  async t => {
    const { publish, join } = createTestHub({ retention: { entries: 1, ageMs: 1e9, bytes: 1e9 } })
    const { sink } = join(['news'])
    const start = sink.frames[0]?.cursor
    await publish({ ...news, ttl: 0 })
    await publish({ channel: 'other', data: 1 })
    t.same(sink.story, ['ready', 'message 1'])
    const later = join(['news'], { since: start && { cursor: start } })
    t.same(later.sink.story, ['ready'], 'its eviction is no gap')
  },
)

t.test('a stream ends with age when its life is over, and everything about it is given back', t => {
  const { hub, join, clock } = createTestHub()
  const { sink, subscriber } = join(['news'], { lifeMs: 10_000 })
  clock.advance(11_000)
  t.equal(sink.story.at(-1), 'close age')
  hub.leave(subscriber)
  t.equal(hub.size, 0)
  t.equal(hub.listenedKeys, 0)
  clock.advance(100_000)
  t.notOk(sink.isDestroyed, 'a connection that is gone is not due for anything')
  t.end()
})

t.test('an identity is confirmed when it is due, again when that is asked for', t => {
  const checks: number[] = []
  const { hub, join, clock } = createTestHub()
  const due = () => checks.push(clock.monotonic())
  const owner = { due, recheck: () => {}, reconsider: () => {}, renew: () => {} }
  const { subscriber } = join([], { recheckMs: 5_000, owner })
  clock.advance(20_000)
  t.equal(checks.length, 1)
  hub.recheckIn(subscriber, 5_000)
  clock.advance(20_000)
  t.equal(checks.length, 2)
  t.end()
})
