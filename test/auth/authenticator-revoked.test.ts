import t from 'tap'
import { beginAuth, token } from '../helpers/authenticator.js'
import { caller, settled } from '../helpers/verifier.js'

t.test('a logout refuses the token at once, without asking, until its time is over', async t => {
  const { enter, logout, cms, clock } = beginAuth()
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
    const test = beginAuth()
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
  const { enter, authenticator, kick, cms, clock } = beginAuth()
  const entering = enter()
  await cms.yes()
  await entering
  clock.advance(1)
  kick(4_500)
  await t.rejects(authenticator.authenticate(token, caller, false), {
    code: 'DOWNPIPE_USER_KICKED',
    retryAfter: 5,
  })
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
  const { enter, kick, cms, clock } = beginAuth()
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
  const { enter, kick, cms, clock } = beginAuth()
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
    const { enter, kick, cms, clock } = beginAuth()
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
  const { enter, kick, cms, clock } = beginAuth()
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
  const { enter, kick, cms } = beginAuth()
  kick(5_000, 'null')
  const entering = enter()
  await cms.yes({ uid: null })
  t.equal(await entering, 'uid null')
})

t.test('who was let in is looked at once more before the door is opened', async t => {
  const { authenticator, cms, check, kick, logout, clock } = beginAuth()
  const entering = authenticator.authenticate(token, caller, false)
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
  t.equal(await check(await authenticator.authenticate('service key', caller, true)), 'uid null')
})
