import t from 'tap'
import { hashToken } from '../../src/auth/identity.js'
import { createCached, settled } from '../helpers/verifier.js'

const forgotten = 'VerifierUnavailable: the token was forgotten while it was asked for'
const away = 'VerifierUnavailable: the CMS is away'

t.test('an identity is asked for once and then known', async t => {
  const { outcome, cms, verifier } = createCached()
  const first = outcome('t')
  await cms.yes()
  t.equal(await first, 'uid 5')
  t.equal(await outcome('t'), 'uid 5')
  t.strictSame(cms.asked, ['t'])
  t.match(verifier.counters, { calls: 1, hits: 1 })
})

t.test('who must have newer news than it has is content with what another has asked for since', async t => {
  const { verifier, cms, clock, admit } = createCached()
  await admit('t')
  const caller = { ip: '192.0.2.1', userAgent: undefined }
  const enteredMs = clock.monotonic()
  clock.advance(1_000)
  const first = verifier.verify('t', caller, enteredMs)
  await cms.yes({ uid: '6' })
  t.equal((await first)?.identity.uid, '6')
  t.equal((await verifier.verify('t', caller, enteredMs))?.identity.uid, '6')
  t.strictSame(cms.asked, ['t'], 'one question for both')
})

t.test('all who come with the same token while it is asked for wait for one call', async t => {
  const { outcome, cms } = createCached()
  const all = Array.from({ length: 10 }, () => outcome('t'))
  await settled()
  t.equal(cms.open, 1)
  await cms.yes()
  t.strictSame(await Promise.all(all), Array(10).fill('uid 5'))
  t.strictSame(cms.asked, ['t'])
})

t.test(
  'it is used without asking for the ttl, or for as long as the CMS vouches, if that is shorter',
  async t => {
    for (const [expiresIn, freshMs] of [
      [3_600, 300_000],
      [60, 60_000],
    ] as const) {
      const { outcome, cms, clock, admit } = createCached()
      await admit('t', { expiresIn })
      clock.advance(freshMs - 1)
      t.equal(await outcome('t'), 'uid 5')
      t.strictSame(cms.asked, [], 'nobody was asked')
      clock.advance(2)
      const next = outcome('t')
      await settled()
      t.strictSame(cms.asked, ['t'], 'somebody was')
      await cms.yes()
      t.equal(await next, 'uid 5')
    }
  },
)

t.test(
  'after the ttl, and while the CMS vouches, the old answer is given at once and a new one asked for',
  async t => {
    const { outcome, cms, clock, admit } = createCached()
    await admit('t')
    clock.advance(301_000)
    t.equal(await outcome('t'), 'uid 5')
    t.equal(await outcome('t'), 'uid 5')
    t.strictSame(cms.asked, ['t'], 'once')
    await cms.yes({ uid: '7' })
    t.equal(await outcome('t'), 'uid 7')
    t.strictSame(cms.asked, ['t'])
  },
)

t.test('when the CMS no longer vouches, the answer is waited for', async t => {
  const { outcome, cms, clock, admit } = createCached()
  await admit('t', { expiresIn: 400 })
  clock.advance(400_000)
  const waiting = outcome('t')
  await cms.yes({ uid: '7' })
  t.equal(await waiting, 'uid 7')
})

t.test('what is asked for in the background and refused is refused from then on', async t => {
  const { outcome, cms, clock, admit, verifier } = createCached()
  await admit('t')
  clock.advance(301_000)
  t.equal(await outcome('t'), 'uid 5')
  await cms.no()
  t.equal(await outcome('t'), 'refused')
  t.equal(verifier.size.identities, 0)
  t.strictSame(cms.asked, ['t'])
})

t.test(
  'what fails in the background disturbs nobody, and is tried again with the next who comes',
  async t => {
    const { outcome, cms, clock, admit, failures } = createCached()
    await admit('t')
    clock.advance(301_000)
    for (let round = 0; round < 3; round++) {
      t.equal(await outcome('t'), 'uid 5')
      await cms.fail()
    }
    t.equal(cms.asked.length, 3)
    t.strictSame(failures, Array(3).fill('the CMS is away'))
  },
)

t.test('when nobody can say, an identity is believed beyond its time, but not for ever', async t => {
  const { outcome, cms, clock, admit } = createCached({ staleIfErrorMs: 60_000 })
  await admit('t', { expiresIn: 100 })
  clock.advance(159_999)
  const late = outcome('t')
  await cms.fail()
  t.equal(await late, 'uid 5')
  clock.advance(1)
  const tooLate = outcome('t')
  await cms.fail()
  t.equal(await tooLate, away)
})

t.test('stale-if-error can be turned off', async t => {
  const { outcome, cms, clock, admit } = createCached({ staleIfErrorMs: 0 })
  await admit('t', { expiresIn: 100 })
  clock.advance(100_001)
  const late = outcome('t')
  await cms.fail()
  t.equal(await late, away)
  const refused = outcome('t')
  await cms.no()
  t.equal(await refused, 'refused')
  const unknown = outcome('u')
  await cms.no()
  t.equal(await unknown, 'refused')
})

t.test('a token that nobody could say anything about is not known, and leaves nothing behind', async t => {
  const { outcome, cms, verifier } = createCached()
  const first = outcome('t')
  await cms.fail()
  t.equal(await first, away)
  t.equal(verifier.size.identities, 0)
  const second = outcome('t')
  await cms.yes()
  t.equal(await second, 'uid 5')
})

t.test('a refusal is a refusal, also of somebody who would be believed if the CMS were away', async t => {
  const { outcome, cms, clock, admit } = createCached()
  await admit('t', { expiresIn: 100 })
  clock.advance(200_000)
  const all = [outcome('t'), outcome('t')]
  await cms.no()
  t.strictSame(await Promise.all(all), ['refused', 'refused'])
})

t.test('refusals are remembered for their own time', async t => {
  const { outcome, cms, clock, verifier } = createCached()
  const first = outcome('t')
  await cms.no()
  t.equal(await first, 'refused')
  clock.advance(9_999)
  t.equal(await outcome('t'), 'refused')
  t.equal(await outcome('t', { mustAsk: true }), 'refused')
  t.strictSame(cms.asked, ['t'])
  clock.advance(2)
  const again = outcome('t')
  await cms.yes()
  t.equal(await again, 'uid 5')
  t.match(verifier.counters, { refusals: 1, calls: 2 })
})

t.test('what is forgotten while it is asked for does not come back', async t => {
  const ways: readonly (readonly [string, (test: ReturnType<typeof createCached>) => Promise<void>])[] = [
    ['of whom nothing was known', async () => {}],
    ['who is asked about again', async ({ admit }) => admit('t')],
    [
      'who would be believed if the CMS were away',
      async ({ admit, clock }) => {
        await admit('t', { expiresIn: 100 })
        clock.advance(200_000)
      },
    ],
  ]
  for (const [who, prepare] of ways) {
    for (const forget of ['forget', 'forgetAll'] as const) {
      await t.test(`somebody ${who}: ${forget}`, async t => {
        const test = createCached()
        const { outcome, cms, verifier } = test
        await prepare(test)
        const waiting = outcome('t', { mustAsk: who.endsWith('again') })
        await settled()
        t.equal(cms.open, 1)
        if (forget === 'forget') verifier.forget(hashToken('t'))
        else verifier.forgetAll()
        t.equal(await waiting, forgotten, 'who waits is told at once')
        await cms.yes()
        t.equal(verifier.size.identities, 0)
        const next = outcome('t')
        await cms.yes({ uid: '7' })
        t.equal(await next, 'uid 7', 'the next one is asked about anew')
      })
    }
  }
})

t.test('an answer that comes after its token was forgotten does not disturb the next question', async t => {
  const { outcome, cms, verifier } = createCached()
  const first = outcome('t')
  await settled()
  verifier.forgetAll()
  const second = outcome('t')
  await settled()
  await cms.yes({ uid: 'late' })
  t.equal(await first, forgotten)
  await cms.yes({ uid: '7' })
  t.equal(await second, 'uid 7')
  t.equal(await outcome('t'), 'uid 7')
})

t.test('who must ask is not answered from memory, and what is answered is remembered', async t => {
  const { outcome, cms, admit } = createCached()
  await admit('t')
  const asking = outcome('t', { mustAsk: true })
  await cms.yes({ uid: '7' })
  t.equal(await asking, 'uid 7')
  t.equal(await outcome('t'), 'uid 7')
  const refused = outcome('t', { mustAsk: true })
  await cms.no()
  t.equal(await refused, 'refused')
})

t.test('who must ask does not take an old answer for a new one when nobody can say', async t => {
  const { outcome, cms, clock, admit } = createCached()
  await admit('t')
  const asking = outcome('t', { mustAsk: true })
  await cms.fail()
  t.equal(await asking, away)
  t.equal(await outcome('t'), 'uid 5', 'others go on as before')
  // Nor when somebody else asked first, who would have been content with the old one.
  clock.advance(301_000)
  t.equal(await outcome('t'), 'uid 5')
  const joined = outcome('t', { mustAsk: true })
  await cms.fail()
  t.equal(await joined, away)
})

t.test('a verifier with a fault is no refusal, and what is said of it holds no token', async t => {
  const { outcome, cms, failures } = createCached()
  const broken = outcome('secret')
  await cms.fail(new TypeError('cannot read secret'))
  t.equal(await broken, 'VerifierUnavailable: the verifier failed')
  t.strictSame(failures, ['the verifier failed'])
})
