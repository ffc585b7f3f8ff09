import fc from 'fast-check'
import t from 'tap'
import { type Cursor, formatCursor, type Since } from '../../src/cursor.js'
import type { Frame } from '../../src/frame.js'
import type { Subscriber } from '../../src/hub/subscriber.js'
import { type Change, deliveryFault, type Published, standingOf } from '../helpers/delivery.js'
import { createTestHub, FakeSink, subscriberKeys, type TestHub } from '../helpers/hub.js'
import { effort, seed } from '../helpers/seed.js'
import type { Target } from '../helpers/target.js'

/**
 * Subscribers connect, drop, stall and resume at random while messages and commands flow through a window that forgets soon
 * and outboxes that overflow soon. Whatever happened, at the end each has everything it was entitled to, once and in order,
 * or a gap that covers it.
 */

const channels = ['a', 'b', 'c', 'd']
const uids = ['1', '2', '3']
/** A channel that nobody has by itself, only as a member. */
const club = 'club'

type Step =
  | { readonly do: 'publish'; readonly targets: readonly Target[]; readonly ttl: number | undefined }
  | { readonly do: 'connect' | 'drop' | 'stall' | 'read'; readonly who: number; readonly part: number }
  | { readonly do: 'kick'; readonly uid: string }
  | { readonly do: 'membership'; readonly uid: string; readonly change: 'add' | 'remove' }
  | { readonly do: 'pass'; readonly ms: number }

/** A browser: it knows what it has read, and comes back with the last id that it saw. */
class Reader {
  readonly uid: string
  readonly channels: readonly string[]
  subscriber: Subscriber | undefined
  sink = new FakeSink()
  read = 0
  start: number | undefined
  last: Cursor | undefined
  readonly ids: number[] = []
  readonly gaps: { readonly from: number; readonly to: number }[] = []

  constructor(uid: string, channels: readonly string[]) {
    this.uid = uid
    this.channels = channels
  }

  connect({ join, hub }: TestHub, members: ReadonlySet<string>): void {
    if (this.subscriber !== undefined) return
    this.sink = new FakeSink(200)
    this.read = 0
    const since: Since | undefined = this.last && { cursor: this.last }
    const names = () => (members.has(this.uid) ? [...this.channels, club] : this.channels)
    const owner = {
      due: () => {},
      recheck: () => {},
      renew: () => {},
      reconsider: (subscriber: Subscriber) => hub.update(subscriber, subscriberKeys(names(), this.uid), '{}'),
    }
    this.subscriber = join(names(), { uid: this.uid, sink: this.sink, since, owner }).subscriber
  }

  /** Reads a part of what was sent; `1` is everything. */
  take(part: number): void {
    const unread = this.sink.frames.slice(this.read)
    const taken = unread.slice(0, Math.ceil(unread.length * part))
    this.read += taken.length
    for (const frame of taken) this.see(frame)
  }

  see({ event, cursor }: Frame): void {
    if (event === 'gap' && cursor !== undefined) this.gaps.push({ from: this.last?.n ?? 0, to: cursor.n })
    if (event === 'message' && cursor !== undefined) this.ids.push(cursor.n)
    if (cursor === undefined) return
    this.start ??= cursor.n
    this.last = cursor
  }

  /** The connection is cut: what was not read is lost. */
  drop({ hub }: TestHub): void {
    if (this.subscriber === undefined) return
    hub.leave(this.subscriber)
    this.subscriber = undefined
  }
}

const reader = fc.nat(5)
const part = fc.constantFrom(0.3, 0.7, 1)
const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ channel: fc.constantFrom(...channels, club) }) },
  fc.record({ channels: fc.uniqueArray(fc.constantFrom(...channels), { minLength: 1 }) }),
  fc.record({ uid: fc.constantFrom(...uids) }),
  fc.record({ uids: fc.uniqueArray(fc.constantFrom(...uids), { minLength: 1 }) }),
  fc.constant({ broadcast: true as const }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      targets: fc.array(target, { minLength: 1, maxLength: 12 }),
      ttl: fc.option(fc.constantFrom(1, 100), { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('connect', 'drop', 'stall', 'read'), who: reader, part }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kick' as const), uid: fc.constantFrom(...uids) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('membership' as const),
      uid: fc.constantFrom(...uids),
      change: fc.constantFrom('add', 'remove'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(100, 3_000, 12_000) }),
  },
)

/** Plays the steps; returns what was published and what became of the readers. */
async function play(steps: readonly Step[]) {
  const members = new Set<string>()
  const changes: Change[] = []
  const test = createTestHub({
    onCommand: command => {
      if (command.kind !== 'membership') return
      if (command.change === 'add') members.add(command.uid)
      else members.delete(command.uid)
    },
    outboxBytes: 600,
    slowAfterMs: 8_000,
    retention: { entries: 40, ageMs: 60_000, bytes: 1e9 },
  })
  const readers = Array.from(
    { length: 6 },
    (_, index) => new Reader(uids[index % 3] ?? '', channels.slice(index % 4, (index % 4) + 2)),
  )
  const published = new Map<number, Published>()
  const publish = async (targets: readonly Target[], ttl: number | undefined) => {
    const before = test.window.applied.n
    await test.publish(targets.map(each => ({ ...each, data: 'x'.repeat(20), ...(ttl && { ttl }) })))
    for (const [index, each] of targets.entries()) {
      const isClub = 'channel' in each && each.channel === club
      const message = { target: each, mayExpire: ttl !== undefined }
      published.set(before + 1 + index, isClub ? { ...message, standing: new Map() } : message)
    }
  }
  for (const each of steps) {
    if (each.do === 'publish') await publish(each.targets, each.ttl)
    else if (each.do === 'kick') await test.log.append([{ kind: 'kick', uid: each.uid, holdMs: 0 }])
    else if (each.do === 'membership') {
      const { uid, change } = each
      const [cursor] = await test.log.append([{ kind: 'membership', uid, channel: club, change }])
      changes.push({ n: cursor?.n ?? 0, uid, isMember: change === 'add' })
      test.clock.turn()
    } else if (each.do === 'pass') test.clock.advance(each.ms)
    else act(each, readers, test, members)
    for (const other of readers) if (other.sink.isEnded) other.drop(test)
  }
  for (const each of readers) {
    act({ do: 'read', who: readers.indexOf(each), part: 1 }, readers, test, members)
    if (each.sink.isEnded) each.drop(test)
    each.connect(test, members)
  }
  await publish([{ broadcast: true }], undefined)
  for (let round = 0; round < 60; round++) {
    for (const each of readers) each.take(1)
    test.clock.turn()
  }
  for (const [n, { standing }] of published) {
    if (standing instanceof Map) for (const uid of uids) standing.set(uid, standingOf(uid, n, changes))
  }
  return { readers, published }
}

function act(
  { do: what, who, part }: Step & { who: number; part: number },
  readers: Reader[],
  test: TestHub,
  members: ReadonlySet<string>,
) {
  const one = readers[who]
  if (one === undefined) return
  if (what === 'connect') one.connect(test, members)
  else if (what === 'stall') one.sink.isBlocked = true
  else if (what === 'read') {
    one.take(part)
    one.sink.isBlocked = false
    if (one.subscriber !== undefined) test.hub.drained(one.subscriber)
    test.clock.turn()
    one.take(part)
  } else {
    one.take(part)
    one.drop(test)
  }
}

t.test(
  'every reader has everything it was entitled to, once and in order, or a gap that covers it',
  async t => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 120, size: 'max' }), async steps => {
        const { readers, published } = await play(steps)
        for (const [index, one] of readers.entries()) {
          const problem = deliveryFault(one, published)
          if (problem !== undefined) {
            throw new Error(
              `reader ${index} (start ${one.start}, last ${one.last && formatCursor(one.last)}): ${problem}`,
            )
          }
        }
      }),
      { seed, numRuns: 200 * effort },
    )
    t.pass(`seed ${seed}`)
  },
)

t.test('the property can fail: a hub that forgets one message in a hundred is found out', async t => {
  let puts = 0
  const see = Reader.prototype.see
  Reader.prototype.see = function (frame) {
    puts += 1
    if (frame.event !== 'message' || puts % 100 !== 0) see.call(this, frame)
  }
  t.teardown(() => {
    Reader.prototype.see = see
  })
  const faults: (string | undefined)[] = []
  for (const steps of fc.sample(fc.array(step, { minLength: 60, maxLength: 120, size: 'max' }), {
    seed,
    numRuns: 50,
  })) {
    const { readers, published } = await play(steps)
    for (const one of readers) faults.push(deliveryFault(one, published))
  }
  t.ok(faults.some(problem => problem?.includes('missing')))
})
