import t from 'tap'
import type { Grant } from '../../src/auth/grant.js'
import { Memberships } from '../../src/auth/memberships.js'
import type { Clock } from '../../src/clock.js'
import { MemoryState } from '../../src/state/memory-state.js'
import { Session } from '../../src/transports/session.js'
import { beginAuth, token } from '../helpers/authenticator.js'
import { createTestHub } from '../helpers/hub.js'
import { fromNow, signToken } from '../helpers/jwt.js'
import { caller, settled } from '../helpers/verifier.js'

const hourMs = 3_600_000

function noMemberships(clock: Clock): Memberships {
  return new Memberships({ clock, state: new MemoryState(clock), maxChannels: 10, isConnected: () => true })
}

/**
 * A stream of user 5, who is let in by a JWT for so many seconds, or else by an opaque token about which the CMS is asked; with
 * grants that end after so many seconds. Time stands still.
 */
async function begin(options: { jwtSeconds?: number; grantSeconds?: readonly number[] }) {
  const { clock, cms, authenticator, kick } = beginAuth({ jwt: true })
  const { hub, join } = createTestHub({ clock })
  const { jwtSeconds, grantSeconds = [] } = options
  const exp = fromNow(jwtSeconds ?? 0, clock.now())
  const by = jwtSeconds === undefined ? token : await signToken({ sub: '5', channels: ['news'], exp })
  const grants: Grant[] = grantSeconds.map((seconds, index) => ({
    isGenuine: true,
    channels: [`granted_${index}`],
    uid: undefined,
    expiresMs: clock.now() + seconds * 1_000,
  }))
  const services = {
    clock,
    authenticator,
    hub,
    memberships: noMemberships(clock),
    anonymousChannels: [],
    heartbeatMs: 25_000,
    staleIfErrorMs: hourMs,
    limits: { maxChannels: 10 },
  }
  const entering = authenticator.authenticate(by, caller, false)
  if (jwtSeconds === undefined) await cms.yes({ expiresIn: 1_000 })
  const session = new Session(services, { token: by, caller, channels: [], grants }, await entering)
  const { channels } = session.settle()
  const { sink, subscriber } = join(channels, { uid: '5', owner: session, recheckMs: session.dueInMs })
  /** What came but for heartbeats, each `ready` with its channels. */
  const story = () =>
    sink.frames
      .filter(({ event }) => event !== 'heartbeat')
      .map(({ event, json }) => {
        const { channels, reason } = JSON.parse(json)
        return `${event} ${channels ?? reason ?? ''}`.trim()
      })
  return { clock, cms, kick, hub, sink, story, recheck: () => session.recheck(subscriber) }
}

t.test('a stream of a JWT is closed at its exp, and sends its last bytes until it is cut', async t => {
  const { clock, cms, story, sink, hub } = await begin({ jwtSeconds: 7_200 })
  clock.advance(2 * hourMs - 250)
  t.strictSame(story(), ['ready'])
  clock.advance(500)
  t.strictSame(story(), ['ready', 'close expired'])
  t.equal(hub.size, 0)
  t.ok(sink.isEnded)
  clock.advance(29_000)
  t.notOk(sink.isDestroyed, 'a slow reader still gets the reason')
  clock.advance(2_000)
  t.ok(sink.isDestroyed)
  t.strictSame(cms.asked, [])
})

t.test('an exp beyond what timers can hold is kept, too', async t => {
  const days = 60
  const { clock, story } = await begin({ jwtSeconds: days * 86_400 })
  for (let day = 0; day < days; day++) clock.advance(24 * hourMs - 100)
  t.strictSame(story(), ['ready'])
  clock.advance(days * 100 + 500)
  t.strictSame(story(), ['ready', 'close expired'])
})

t.test('a machine’s clock that is set is noticed within the hour', async t => {
  const ahead = await begin({ jwtSeconds: 10 * 3_600 })
  ahead.clock.jump(10 * hourMs)
  ahead.clock.advance(hourMs + 500)
  t.strictSame(ahead.story(), ['ready', 'close expired'])
  const back = await begin({ jwtSeconds: 3_600 })
  back.clock.jump(-hourMs)
  back.clock.advance(2 * hourMs - 500)
  t.strictSame(back.story(), ['ready'])
  back.clock.advance(1_000)
  t.strictSame(back.story(), ['ready', 'close expired'])
})

t.test('an end of a grant asks nobody, and moves no other time', async t => {
  const { clock, cms, story } = await begin({ grantSeconds: [100, 200] })
  clock.advance(200_500)
  t.strictSame(story(), ['ready', 'ready news,granted_1', 'ready news'])
  t.equal(cms.asked.length, 1)
  clock.advance(599_000)
  t.equal(cms.asked.length, 1, '80 % of the time that the CMS vouched for are not over')
  clock.advance(201_000)
  t.equal(cms.asked.length, 2)
  await cms.yes({ expiresIn: 1_000 })
  clock.advance(1_000_500)
  t.equal(cms.asked.length, 3, 'and so on')
})

t.test('a grant ends also while the CMS is asked, or is away', async t => {
  const { clock, cms, story } = await begin({ grantSeconds: [1_005, 1_020, 5_000] })
  clock.advance(1_000_500)
  t.equal(cms.asked.length, 2)
  clock.advance(5_000)
  t.strictSame(story(), ['ready', 'ready news,granted_1,granted_2'])
  await cms.fail()
  clock.advance(15_000)
  t.strictSame(story().at(-1), 'ready news,granted_2')
  clock.advance(21_000)
  await settled()
  t.equal(cms.asked.length, 3)
  await cms.yes({ channels: ['other'] })
  clock.turn()
  t.strictSame(story().at(-1), 'ready other,granted_2')
})

// Each time that it was asked in vain counted for half a minute, however soon after the last.
t.test('it is time, not how often the CMS was asked, that makes an identity too old', async t => {
  const { clock, cms, story, recheck } = await begin({})
  for (let times = 0; times < 150; times++) {
    recheck()
    await settled()
    await cms.fail()
  }
  t.strictSame(story(), ['ready'])
  for (let passedMs = 0; passedMs < hourMs - 60_000; passedMs += 1_000) {
    clock.advance(1_000)
    await settled()
    if (cms.open > 0) await cms.fail()
  }
  t.strictSame(story(), ['ready'])
  for (let passedMs = 0; passedMs < 120_000; passedMs += 1_000) {
    clock.advance(1_000)
    await settled()
    if (cms.open > 0) await cms.fail()
  }
  t.strictSame(story(), ['ready', 'close expired'])
})

t.test('a grant ends also for somebody of whom only the CMS can say what is left', async t => {
  const { clock, cms, kick, story } = await begin({ grantSeconds: [100] })
  clock.advance(1)
  kick(0)
  clock.advance(110_000)
  t.strictSame(story(), ['ready', 'ready news'])
  t.equal(cms.asked.length, 1, 'and nobody is asked again and again')
})

t.test('somebody for whom nothing falls due is left alone', async t => {
  const { clock, hub } = createTestHub()
  const { authenticator } = beginAuth({ anonymousChannels: ['lobby'] })
  const session = new Session(
    {
      clock,
      authenticator,
      hub,
      memberships: noMemberships(clock),
      anonymousChannels: ['lobby'],
      heartbeatMs: 25_000,
      staleIfErrorMs: hourMs,
      limits: { maxChannels: 10 },
    },
    { token: undefined, caller, channels: [], grants: [] },
    await authenticator.authenticate(undefined, caller, false),
  )
  t.strictSame(session.settle().channels, ['lobby'])
  t.strictSame([session.dueInMs, session.endsInMs], [undefined, undefined])
})
