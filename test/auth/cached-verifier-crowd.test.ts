import t from 'tap'
import { createCached, settled } from '../helpers/verifier.js'

t.test('random tokens push out no good identity, neither when refused nor while they wait', async t => {
  const { outcome, cms, admit } = createCached({ identities: 3, atOnce: 2, queueLength: 5 })
  const good = ['a', 'b', 'c']
  for (const token of good) await admit(token)
  for (let index = 0; index < 200; index++) {
    const random = outcome(`refused ${index}`)
    await cms.no()
    await random
  }
  const waiting: Promise<string>[] = []
  for (let index = 0; index < 50; index++) {
    waiting.push(outcome(`waiting ${index}`))
    await settled()
  }
  cms.asked = []
  for (const token of good) t.equal(await outcome(token), 'uid 5')
  t.strictSame(cms.asked, [], 'all of them were still known')
  for (let index = 0; index < 7; index++) await cms.no()
  const outcomes = await Promise.all(waiting)
  t.equal(outcomes.filter(each => each === 'refused').length, 7, '2 calls and 5 that waited')
  t.equal(outcomes.filter(each => each.includes('too many tokens wait')).length, 43)
})

t.test('the identities that were not used for longest go first', async t => {
  const { outcome, cms, admit, verifier } = createCached({ identities: 5, atOnce: 1, queueLength: 1 })
  await admit('old')
  await admit('used')
  for (let index = 0; index < 20; index++) {
    await admit(`t${index}`)
    t.equal(await outcome('used'), 'uid 5')
  }
  t.ok(verifier.size.identities <= 8, `${verifier.size.identities} are held`)
  cms.asked = []
  for (const token of ['t19', 't18', 't17', 't16', 'used']) t.equal(await outcome(token), 'uid 5')
  t.strictSame(cms.asked, [])
  const old = outcome('old')
  await cms.yes()
  t.equal(await old, 'uid 5')
  t.strictSame(cms.asked, ['old'])
})

t.test('so many at once, so many behind them, and none for longer than the deadline', async t => {
  const { outcome, cms, clock, verifier } = createCached({ atOnce: 2, queueLength: 2, queueMs: 5_000 })
  const [one, two, three, four, five] = ['1', '2', '3', '4', '5'].map(token => outcome(token))
  await settled()
  t.strictSame(cms.asked, ['1', '2'])
  t.strictSame(verifier.size, { identities: 4, running: 2, waiting: 2 })
  t.equal(await five, 'VerifierUnavailable: too many tokens wait to be verified')
  await cms.yes()
  t.strictSame(cms.asked, ['1', '2', '3'])
  clock.advance(5_000)
  t.equal(await four, 'VerifierUnavailable: too many tokens wait to be verified')
  await cms.yes()
  await cms.yes()
  t.strictSame(await Promise.all([one, two, three]), Array(3).fill('uid 5'))
  t.match(verifier.counters, { calls: 3, overflows: 2, failures: 0 })
  t.strictSame(verifier.size, { identities: 3, running: 0, waiting: 0 })
})

t.test('who is known passes by the crowd', async t => {
  const { outcome, cms, clock, admit } = createCached({ atOnce: 1, queueLength: 1, staleIfErrorMs: 60_000 })
  await admit('fresh')
  await admit('stale', { expiresIn: 100 })
  clock.advance(110_000)
  const crowd = ['1', '2', '3'].map(token => outcome(token))
  t.equal(await outcome('fresh'), 'uid 5')
  t.equal(await outcome('stale'), 'uid 5', 'nobody can say, so the old answer is believed')
  await cms.yes()
  await cms.yes()
  await Promise.all(crowd)
})

t.test('one address has so many unknown tokens, and only unknown ones count', async t => {
  const { outcome, cms, clock, admit, verifier } = createCached({ rate: 2, burst: 3 })
  const limited = 'AddressLimitReached: too many unknown tokens from this address'
  await admit('known')
  const first = [outcome('1'), outcome('2')]
  t.equal(await outcome('3'), limited)
  t.equal(await outcome('known'), 'uid 5')
  const other = outcome('4', { ip: '192.0.2.2' })
  clock.advance(500)
  const next = outcome('5')
  t.equal(await outcome('6'), limited)
  for (let index = 0; index < 4; index++) await cms.yes()
  t.strictSame(await Promise.all([...first, other, next]), Array(4).fill('uid 5'))
  t.match(verifier.counters, { limited: 2, calls: 5 })
})

t.test('nothing is left unhandled, whoever waits or does not', async t => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const { outcome, cms, clock, admit, verifier } = createCached({ atOnce: 1, queueLength: 2 })
  await admit('t')
  clock.advance(301_000)
  for (const answer of ['no', 'fail'] as const) {
    await outcome('t')
    await cms[answer]()
    clock.advance(11_000)
    if (answer === 'no') await admit('t')
    clock.advance(301_000)
  }
  await outcome('t')
  verifier.forgetAll()
  await cms.fail()
  const crowd = ['1', '2', '3', '4'].map(token => outcome(token))
  clock.advance(6_000)
  await cms.fail()
  await Promise.all(crowd)
  await settled()
  t.strictSame(unhandled, [])
})

t.test('what happened is counted', async t => {
  const { outcome, cms, verifier } = createCached()
  const calls = [outcome('yes'), outcome('no'), outcome('fail')]
  await cms.yes()
  await cms.no()
  await cms.fail()
  await Promise.all(calls)
  await outcome('yes')
  await outcome('no')
  t.strictSame(verifier.counters, { hits: 1, calls: 3, refusals: 1, failures: 1, overflows: 0, limited: 0 })
})
