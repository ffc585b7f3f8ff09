import t from 'tap'
import { Authenticator, type Principal } from '../../src/auth/authenticator.js'
import type { VerifierLimits } from '../../src/auth/cached-verifier.js'
import { hashToken } from '../../src/auth/identity.js'
import { Revocations } from '../../src/auth/revocations.js'
import { caller, createCached, settled } from '../helpers/verifier.js'

const token = 'a-token-that-nobody-may-see'

/** An authenticator, and what a kick or a logout does to it. */
function begin(options: Partial<VerifierLimits> & { anonymousChannels?: string[] } = {}) {
  const { anonymousChannels = [], ...limits } = options
  const { clock, cms, verifier } = createCached(limits)
  const revocations = new Revocations(clock)
  const authenticator = new Authenticator({
    clock,
    verifier,
    revocations,
    isServiceKey: key => key === 'service key',
    anonymousChannels,
  })
  /** `uid 5`, or the code of the error; an error that says too much is told in full. */
  const told = async (principal: Promise<Principal>): Promise<string> => {
    try {
      return `uid ${(await principal).identity.uid}`
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) return String(error)
      return error.message.includes('nobody-may-see') ? error.message : String(error.code)
    }
  }
  return {
    clock,
    cms,
    authenticator,
    enter: () => told(authenticator.authenticate(token, caller)),
    confirm: () => told(authenticator.confirm(token, caller)),
    kick: (holdMs: number, uid = '5') => revocations.holdUser(uid, holdMs),
    logout: () => {
      revocations.revokeToken(hashToken(token), 60_000)
      verifier.forget(hashToken(token))
    },
    check: (principal: Principal) =>
      told(
        Promise.resolve().then(() => {
          authenticator.check(principal)
          return principal
        }),
      ),
  }
}

t.test('who comes without a token is the anonymous reader, where there is one', async t => {
  const { authenticator } = begin({ anonymousChannels: ['lobby', 'node_*'] })
  t.match(await authenticator.authenticate(undefined, caller), {
    identity: { uid: null, channels: ['lobby', 'node_*'], visibleTo: [] },
    tokenHash: undefined,
    recheckMs: undefined,
  })
  await t.rejects(begin().authenticator.authenticate(undefined, caller), { code: 'DOWNPIPE_TOKEN_REQUIRED' })
})

t.test('a bad token never becomes the anonymous reader', async t => {
  const { enter, cms } = begin({ anonymousChannels: ['lobby'] })
  const entering = enter()
  await cms.no()
  t.equal(await entering, 'DOWNPIPE_TOKEN_REFUSED')
})

t.test('the service key reads everything, is nobody, and is never asked about', async t => {
  const { authenticator, cms } = begin()
  t.match(await authenticator.authenticate('service key', caller), {
    identity: { uid: null, channels: ['*'] },
    tokenHash: undefined,
    recheckMs: undefined,
  })
  t.strictSame(cms.asked, [])
})

t.test('where nobody can be asked, no token is good', async t => {
  const { clock } = begin()
  const authenticator = new Authenticator({
    clock,
    verifier: undefined,
    revocations: new Revocations(clock),
    isServiceKey: () => false,
    anonymousChannels: ['lobby'],
  })
  await t.rejects(authenticator.authenticate(token, caller), { code: 'DOWNPIPE_TOKEN_REFUSED' })
})

t.test('a principal has the hash of its token, never the token', async t => {
  const { authenticator, cms } = begin()
  const entering = authenticator.authenticate(token, caller)
  await cms.yes()
  const principal = await entering
  t.equal(principal.tokenHash, hashToken(token))
  t.notMatch(JSON.stringify(principal), /nobody-may-see/)
})

t.test(
  'an identity must be confirmed at a random 80 to 100 % of the time that the CMS vouches for',
  async t => {
    const { authenticator, cms, clock } = begin()
    const entering = authenticator.authenticate(token, caller)
    await cms.yes({ expiresIn: 1_000 })
    await entering
    clock.advance(100_000)
    const times: number[] = []
    for (let round = 0; round < 200; round++) {
      times.push((await authenticator.authenticate(token, caller)).recheckMs ?? Number.NaN)
    }
    t.ok(Math.min(...times) >= 700_000 && Math.max(...times) <= 900_000, 'less the 100 s that have passed')
    t.ok(Math.max(...times) - Math.min(...times) > 50_000, 'not all at once')
  },
)

t.test('nobody has to be confirmed more often than each second', async t => {
  const { authenticator, cms, clock } = begin()
  const entering = authenticator.authenticate(token, caller)
  await cms.yes({ expiresIn: 0.001 })
  t.equal((await entering).recheckMs, 1_000)
  clock.advance(60_000)
  const late = authenticator.authenticate(token, caller)
  await cms.fail()
  t.equal((await late).recheckMs, 1_000, 'also who is believed only because nobody can say')
})

t.test('a logout refuses the token at once, without asking, until its time is over', async t => {
  const { enter, logout, cms, clock } = begin()
  const entering = enter()
  await cms.yes()
  t.equal(await entering, 'uid 5')
  logout()
  clock.advance(59_999)
  t.equal(await enter(), 'DOWNPIPE_TOKEN_REFUSED')
  t.equal(cms.asked.length, 1)
  clock.advance(1)
  const again = enter()
  await cms.yes()
  t.equal(await again, 'uid 5', 'the CMS has the last word')
})

t.test('a logout while the CMS is asked: its yes brings nobody back', async t => {
  for (const verb of ['enter', 'confirm'] as const) {
    const test = begin()
    const entering = test[verb]()
    await settled()
    test.logout()
    t.equal(await entering, 'DOWNPIPE_TOKEN_REFUSED')
    await test.cms.yes()
    test.clock.advance(60_000)
    const again = test.enter()
    await test.cms.yes()
    t.equal(await again, 'uid 5')
    t.equal(test.cms.asked.length, 2, 'the answer that came too late was not kept')
  }
})

t.test('a kick refuses the user while it holds; afterwards the CMS is asked anew', async t => {
  const { enter, authenticator, kick, cms, clock } = begin()
  const entering = enter()
  await cms.yes()
  await entering
  clock.advance(1)
  kick(4_500)
  await t.rejects(authenticator.authenticate(token, caller), { code: 'DOWNPIPE_USER_KICKED', retryAfter: 5 })
  clock.advance(4_500)
  const again = enter()
  await settled()
  t.equal(cms.asked.length, 2, 'what was known is from before the kick')
  await cms.yes()
  t.equal(await again, 'uid 5')
  t.equal(await enter(), 'uid 5')
  t.equal(cms.asked.length, 2)
})

t.test('a kick while the CMS is asked refuses the user whom it names', async t => {
  const { enter, kick, cms, clock } = begin()
  const entering = enter()
  await settled()
  clock.advance(1)
  kick(5_000)
  await cms.yes()
  t.equal(await entering, 'DOWNPIPE_USER_KICKED')
  kick(5_000, '7')
  clock.advance(5_000)
  const again = enter()
  await settled()
  await cms.yes()
  t.equal(await again, 'uid 5')
})

t.test('a kick that holds nobody still makes the answer void: the CMS is asked once more', async t => {
  const { enter, kick, cms, clock } = begin()
  const entering = enter()
  await settled()
  clock.advance(1)
  kick(0)
  clock.advance(1)
  await cms.yes()
  t.equal(cms.asked.length, 2)
  await cms.yes()
  t.equal(await entering, 'uid 5')
})

t.test('after a kick the CMS may say no, or that it is somebody else, or nothing', async t => {
  const answers = [
    ['no', 'DOWNPIPE_TOKEN_REFUSED'],
    ['fail', 'DOWNPIPE_BUSY'],
    ['yes', 'uid 7'],
  ] as const
  for (const [answer, outcome] of answers) {
    const { enter, kick, cms, clock } = begin()
    const entering = enter()
    await cms.yes()
    await entering
    clock.advance(1)
    kick(0)
    clock.advance(1)
    const again = enter()
    await settled()
    if (answer === 'yes') await cms.yes({ uid: '7' })
    else await cms[answer]()
    t.equal(await again, outcome, 'never the old identity')
  }
})

t.test('a user who is kicked again and again is not asked about for ever', async t => {
  const { enter, kick, cms, clock } = begin()
  const entering = enter()
  for (let round = 0; round < 2; round++) {
    await settled()
    clock.advance(1)
    kick(0)
    await cms.yes()
  }
  t.equal(await entering, 'DOWNPIPE_BUSY')
  t.equal(cms.asked.length, 2)
})

t.test('a kick concerns no anonymous reader, whatever the CMS calls it', async t => {
  const { enter, kick, cms } = begin()
  kick(5_000, 'null')
  const entering = enter()
  await cms.yes({ uid: null })
  t.equal(await entering, 'uid null')
})

t.test('who was let in is looked at once more before the door is opened', async t => {
  const { authenticator, cms, check, kick, logout, clock } = begin()
  const entering = authenticator.authenticate(token, caller)
  await cms.yes()
  const principal = await entering
  t.equal(await check(principal), 'uid 5')
  clock.advance(1)
  kick(0)
  t.equal(await check(principal), 'DOWNPIPE_BUSY', 'an identity from before the kick')
  kick(5_000)
  t.equal(await check(principal), 'DOWNPIPE_USER_KICKED')
  logout()
  t.equal(await check(principal), 'DOWNPIPE_TOKEN_REFUSED')
  t.equal(await check(await authenticator.authenticate('service key', caller)), 'uid null')
})

t.test('to confirm is to ask, whatever is remembered', async t => {
  const { enter, confirm, cms } = begin()
  const entering = enter()
  await cms.yes()
  await entering
  const confirming = confirm()
  await cms.yes({ uid: '7' })
  t.equal(await confirming, 'uid 7')
  const refused = confirm()
  await cms.no()
  t.equal(await refused, 'DOWNPIPE_TOKEN_REFUSED')
})

t.test('that nobody can say is for now, and so is a crowd from one address', async t => {
  const { enter, confirm, cms } = begin({ rate: 1, burst: 1 })
  const entering = enter()
  await cms.fail(new TypeError(`a fault that knows ${token}`))
  t.equal(await entering, 'DOWNPIPE_BUSY')
  t.equal(await enter(), 'DOWNPIPE_TOO_MANY_REQUESTS')
  t.equal(await confirm(), 'DOWNPIPE_TOO_MANY_REQUESTS')
})
