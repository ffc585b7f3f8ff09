import t from 'tap'
import { Authenticator } from '../../src/auth/authenticator.js'
import { hashToken } from '../../src/auth/identity.js'
import { Revocations } from '../../src/auth/revocations.js'
import { beginAuth, token } from '../helpers/authenticator.js'
import { caller } from '../helpers/verifier.js'

t.test('who comes without a token is the anonymous reader, where there is one', async t => {
  const { authenticator } = beginAuth({ anonymousChannels: ['lobby', 'node_*'] })
  t.match(await authenticator.authenticate(undefined, caller, false), {
    identity: { uid: null, channels: ['lobby', 'node_*'], visibleTo: [] },
    tokenHash: undefined,
    recheckMs: undefined,
  })
  await t.rejects(beginAuth().authenticator.authenticate(undefined, caller, false), {
    code: 'DOWNPIPE_TOKEN_REQUIRED',
  })
})

t.test('a bad token never becomes the anonymous reader', async t => {
  const { enter, cms } = beginAuth({ anonymousChannels: ['lobby'] })
  const entering = enter()
  await cms.no()
  t.equal(await entering, 'DOWNPIPE_TOKEN_REFUSED')
})

t.test('the service key reads everything, is nobody, and is never asked about', async t => {
  const { authenticator, cms } = beginAuth()
  t.match(await authenticator.authenticate('service key', caller, true), {
    identity: { uid: null, channels: ['*'] },
    tokenHash: undefined,
    recheckMs: undefined,
  })
  t.strictSame(cms.asked, [])
})

t.test('where nobody can be asked, no token is good', async t => {
  const { clock } = beginAuth()
  const authenticator = new Authenticator({
    clock,
    verifier: undefined,
    jwt: undefined,
    revocations: new Revocations(clock),
    serviceRights: () => undefined,
    anonymousChannels: ['lobby'],
  })
  await t.rejects(authenticator.authenticate(token, caller, false), { code: 'DOWNPIPE_TOKEN_REFUSED' })
})

t.test('a principal has the hash of its token, never the token', async t => {
  const { authenticator, cms } = beginAuth()
  const entering = authenticator.authenticate(token, caller, false)
  await cms.yes()
  const principal = await entering
  t.equal(principal.tokenHash, hashToken(token))
  t.notMatch(JSON.stringify(principal), /nobody-may-see/)
})

t.test(
  'an identity must be confirmed at a random 80 to 100 % of the time that the CMS vouches for',
  async t => {
    const { authenticator, cms, clock } = beginAuth()
    const entering = authenticator.authenticate(token, caller, false)
    await cms.yes({ expiresIn: 1_000 })
    await entering
    clock.advance(100_000)
    const times: number[] = []
    for (let round = 0; round < 200; round++) {
      times.push((await authenticator.authenticate(token, caller, false)).recheckMs ?? Number.NaN)
    }
    t.ok(Math.min(...times) >= 700_000 && Math.max(...times) <= 900_000, 'less the 100 s that have passed')
    t.ok(Math.max(...times) - Math.min(...times) > 50_000, 'not all at once')
  },
)

t.test('nobody has to be confirmed more often than each second', async t => {
  const { authenticator, cms, clock } = beginAuth()
  const entering = authenticator.authenticate(token, caller, false)
  await cms.yes({ expiresIn: 0.001 })
  t.equal((await entering).recheckMs, 1_000)
  clock.advance(60_000)
  const late = authenticator.authenticate(token, caller, false)
  await cms.fail()
  t.equal((await late).recheckMs, 1_000, 'also who is believed only because nobody can say')
})

t.test('to confirm is to ask, whatever is remembered', async t => {
  const { enter, confirm, cms } = beginAuth()
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
  const { enter, confirm, cms } = beginAuth({ rate: 1, burst: 1 })
  const entering = enter()
  await cms.fail(new TypeError(`a fault that knows ${token}`))
  t.equal(await entering, 'DOWNPIPE_BUSY')
  t.equal(await enter(), 'DOWNPIPE_TOO_MANY_REQUESTS')
  t.equal(await confirm(), 'DOWNPIPE_TOO_MANY_REQUESTS')
})
