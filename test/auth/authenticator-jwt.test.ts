import t from 'tap'
import { hashJwt } from '../../src/auth/jwt.js'
import { beginAuth, token } from '../helpers/authenticator.js'
import { forge, fromNow, signToken } from '../helpers/jwt.js'
import { caller, settled } from '../helpers/verifier.js'

const dayMs = 86_400_000

function begin() {
  const test = beginAuth({ jwt: true, atOnce: 1, queueLength: 1 })
  const sign = (seconds: number) => signToken({ sub: '5', exp: fromNow(seconds, test.clock.now()) })
  return { ...test, sign }
}

t.test('what looks like a JWT is verified here, all other tokens are asked about', async t => {
  const { authenticator, enter, cms, sign, clock } = begin()
  const jwt = await sign(60)
  t.match(await authenticator.authenticate(jwt, caller, false), {
    identity: { uid: '5' },
    tokenHash: hashJwt(jwt),
    askedMs: undefined,
    recheckMs: undefined,
    expiresMs: clock.now() + 60_000,
  })
  t.equal(await enter(`${jwt.slice(0, -3)}AAA`), 'DOWNPIPE_TOKEN_REFUSED')
  t.equal(await enter(forge({ alg: 'none' }, { sub: '5' })), 'DOWNPIPE_TOKEN_REFUSED')
  t.strictSame(cms.asked, [])
  const entering = enter('a.b.c')
  await cms.yes({ uid: '7' })
  t.equal(await entering, 'uid 7')
  t.match(await authenticator.authenticate('a.b.c', caller, false), { expiresMs: undefined })
})

t.test('where no JWT is configured, one is asked about like any token', async t => {
  const { enter, cms } = beginAuth()
  const jwt = await signToken({ sub: '5', exp: fromNow(60) })
  const entering = enter(jwt)
  await cms.yes({ uid: '7' })
  t.equal(await entering, 'uid 7')
  t.strictSame(cms.asked, [jwt])
})

t.test('a CMS that does not answer, and a full queue, hold no JWT up', async t => {
  const { enter, cms, sign } = begin()
  const waiting = [enter('one'), enter('two')]
  await settled()
  t.equal(await enter('three'), 'DOWNPIPE_BUSY')
  t.equal(await enter(await sign(60)), 'uid 5')
  await cms.yes()
  await cms.yes()
  await Promise.all(waiting)
})

t.test('a logged-out JWT is refused until it would end by itself, in every spelling', async t => {
  const { enter, logout, sign, clock } = begin()
  const jwt = await sign(7 * 86_400)
  t.equal(await enter(jwt), 'uid 5')
  logout(jwt)
  const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
    letter => jwt.slice(0, -1) + letter,
  )
  for (const spelling of [...spellings, jwt]) t.equal(await enter(spelling), 'DOWNPIPE_TOKEN_REFUSED')
  clock.advance(7 * dayMs + 4_999)
  t.equal(await enter(jwt), 'DOWNPIPE_TOKEN_REFUSED')
})

t.test('how long a logout holds is bounded from below and above', async t => {
  const { authenticator, sign, clock } = begin()
  const holdMs = (jwt: string) => authenticator.revocation(jwt).holdMs
  t.equal(holdMs(await sign(86_400)), dayMs + 5_000)
  t.equal(holdMs(await sign(10)), 60_000)
  t.equal(holdMs(await sign(-1_000)), 60_000)
  t.equal(holdMs(forge({ alg: 'none' }, {})), 60_000)
  t.equal(holdMs(await signToken({ sub: '5', exp: clock.now() })), 366 * dayMs, 'ms in place of s')
  t.equal(holdMs(token), 60_000, 'an opaque token')
  const off = beginAuth().authenticator
  t.equal(off.revocation(await sign(86_400)).holdMs, 60_000, 'the CMS is asked about it')
})

t.test('a kicked user’s JWT is refused for the hold, and good again after it', async t => {
  const { enter, kick, sign, clock } = begin()
  const jwt = await sign(3_600)
  t.equal(await enter(jwt), 'uid 5')
  clock.advance(1)
  kick(5_000)
  t.equal(await enter(jwt), 'DOWNPIPE_USER_KICKED')
  clock.advance(4_999)
  t.equal(await enter(jwt), 'DOWNPIPE_USER_KICKED')
  clock.advance(1)
  t.equal(await enter(jwt), 'uid 5')
})

t.test('a JWT that was let in is looked at once more before the door is opened', async t => {
  const { authenticator, check, kick, logout, sign } = begin()
  const jwt = await sign(3_600)
  const principal = await authenticator.authenticate(jwt, caller, false)
  t.equal(await check(principal), 'uid 5')
  kick(0)
  t.equal(await check(principal), 'uid 5', 'what it says is as true as before')
  kick(5_000)
  t.equal(await check(principal), 'DOWNPIPE_USER_KICKED')
  logout(jwt)
  t.equal(await check(principal), 'DOWNPIPE_TOKEN_REFUSED')
})

t.test('who holds a genuine grant needs no token', async t => {
  const { authenticator } = begin()
  t.match(await authenticator.authenticate(undefined, caller, false, true), {
    identity: { uid: null, channels: [] },
  })
  await t.rejects(authenticator.authenticate(undefined, caller, false, false), {
    code: 'DOWNPIPE_TOKEN_REQUIRED',
  })
  await t.rejects(authenticator.authenticate(forge({ alg: 'none' }, {}), caller, false, true), {
    code: 'DOWNPIPE_TOKEN_REFUSED',
  })
})
