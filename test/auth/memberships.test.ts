import t from 'tap'
import { Memberships, membershipMs } from '../../src/auth/memberships.js'
import { MemoryState } from '../../src/state/memory-state.js'
import { FakeClock } from '../helpers/clock.js'

const minuteMs = 60_000

function begin({ maxChannels = 3 } = {}) {
  const clock = new FakeClock()
  const state = new MemoryState(clock)
  const connected = new Set<string>()
  const create = () => new Memberships({ clock, state, maxChannels, isConnected: uid => connected.has(uid) })
  const memberships = create()
  return {
    clock,
    state,
    connected,
    memberships,
    /** As another process finds it that starts now. */
    reloaded: async () => {
      const other = create()
      await other.load()
      return other
    },
    /** Lets time pass as a site does. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += minuteMs) {
        clock.advance(minuteMs)
        await memberships.sweep()
      }
    },
  }
}

t.test('an added channel is there until it is removed', async t => {
  const { memberships } = begin()
  memberships.add('5', 'a')
  memberships.add('5', 'b')
  t.strictSame(memberships.of('5').added, ['a', 'b'])
  t.strictSame(memberships.of('6').added, [])
  t.strictSame(memberships.of(null).added, [])
  t.ok(memberships.remove('5', 'a'))
  t.strictSame(memberships.of('5').added, ['b'])
})

t.test(
  'a removed channel is hidden from identities that were asked for before, and from no later one',
  async t => {
    const { memberships, clock } = begin()
    const beforeMs = clock.monotonic()
    clock.advance(10)
    memberships.remove('5', 'a')
    const at = clock.monotonic()
    t.ok(memberships.of('5').isHidden('a', beforeMs))
    t.ok(memberships.of('5').isHidden('a', at))
    t.notOk(memberships.of('5').isHidden('a', at + 1))
    t.notOk(memberships.of('5').isHidden('b', beforeMs))
    t.notOk(memberships.of('6').isHidden('a', beforeMs))
    memberships.add('5', 'a')
    t.notOk(memberships.of('5').isHidden('a', beforeMs), 'what is added is not hidden')
  },
)

t.test('a membership is kept for a day after the last connection', async t => {
  const { memberships, connected, pass } = begin()
  memberships.add('5', 'a')
  memberships.add('6', 'a')
  connected.add('5')
  await pass(3 * membershipMs)
  t.strictSame(memberships.of('6').added, [], 'who never came is forgotten a day after the call')
  t.strictSame(memberships.of('5').added, ['a'])
  connected.delete('5')
  await pass(membershipMs - 2 * minuteMs)
  t.strictSame(memberships.of('5').added, ['a'])
  await pass(4 * minuteMs)
  t.strictSame(memberships.of('5').added, [])
})

// Who is connected is looked at once a minute: somebody whose visits all fell between two looks lost what was added.
t.test('a visit between two looks counts as a connection', async t => {
  const { memberships, pass } = begin()
  memberships.add('5', 'a')
  await pass(membershipMs - 2 * minuteMs)
  memberships.visited('5')
  memberships.visited('6')
  memberships.visited(null)
  await pass(membershipMs - 2 * minuteMs)
  t.strictSame(memberships.of('5').added, ['a'])
  await pass(4 * minuteMs)
  t.strictSame(memberships.of('5').added, [])
})

t.test('what is stored is there for the next process, as long as it counts', async t => {
  const { memberships, connected, pass, reloaded, clock } = begin()
  for (const [channel, change] of [
    ['a', 'add'],
    ['b', 'remove'],
  ] as const) {
    await memberships.store('5', channel, change)
    if (change === 'add') memberships.add('5', channel)
    else memberships.remove('5', channel)
  }
  const next = await reloaded()
  t.strictSame(next.of('5').added, ['a'])
  t.ok(next.of('5').isHidden('b', clock.monotonic()))
  connected.add('5')
  await pass(2 * membershipMs)
  t.strictSame((await reloaded()).of('5').added, ['a'], 'the records of who stays connected are renewed')
  connected.delete('5')
  await pass(2 * membershipMs)
  t.strictSame((await reloaded()).of('5').added, [], 'and nothing is kept for ever')
})

t.test('a user has no more memberships than a subscriber has channels', async t => {
  const { memberships } = begin({ maxChannels: 2 })
  memberships.add('5', 'a')
  t.ok(memberships.hasPlace('5', 'b'))
  memberships.add('5', 'b')
  t.notOk(memberships.hasPlace('5', 'c'))
  t.ok(memberships.hasPlace('5', 'a'), 'one that is there may be added again')
  t.ok(memberships.hasPlace('6', 'c'))
  memberships.remove('5', 'a')
  t.ok(memberships.hasPlace('5', 'c'), 'what was taken away takes no place')
})

t.test('too much taken away is not remembered: the identity must be asked for anew', async t => {
  const { memberships, clock } = begin({ maxChannels: 2 })
  t.ok(memberships.remove('5', 'a'))
  t.ok(memberships.remove('5', 'b'))
  memberships.add('5', 'c')
  t.notOk(memberships.remove('5', 'c'))
  t.strictSame(memberships.of('5').added, [], 'but it is taken away')
  t.equal(memberships.of('5').forgottenMs, clock.monotonic(), 'what was said before does not count')
})

t.test('what is taken away last is hidden at once, however much was before', async t => {
  const { memberships, clock } = begin({ maxChannels: 2 })
  for (const channel of ['a', 'b', 'c']) memberships.remove('5', channel)
  const { isHidden, forgottenMs } = memberships.of('5')
  t.ok(isHidden('c', clock.monotonic()), 'also while the CMS is asked')
  t.equal(forgottenMs, clock.monotonic(), 'and of what was said until now nothing more is known')
  t.equal(memberships.of('6').forgottenMs, undefined)
})
