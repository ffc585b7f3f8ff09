import type { Test } from 'tap'
import { fromNow, grantSecret, jwtSecret, signGrant, signToken } from '../helpers/jwt.js'
import { beginCase, refusal, type Transport } from './transport-case.js'

const channelForbidden = { status: 403, code: 'DOWNPIPE_CHANNEL_FORBIDDEN' }
const tokenRequired = { status: 401, code: 'DOWNPIPE_TOKEN_REQUIRED' }

/** A server that takes grants. */
const withGrants = { grantSecrets: [grantSecret] }

/** Signs a grant for an hour. */
function grant(channels: readonly string[], claims: Record<string, unknown> = {}): Promise<string> {
  return signGrant({ channels, exp: fromNow(3_600), ...claims })
}

/** Channels of one page view, by signed permissions. */
export function grantsSuite(t: Test, transport: Transport): void {
  t.test('a grant’s channels come beside those of the identity, also where a page names some', async t => {
    const { knows, connect, publish } = await beginCase(t, transport, withGrants)
    knows('five', { uid: '5', channels: ['a', 'b'] })
    const grants = [await grant(['node_17', 'b']), await grant(['node_18'])]
    const all = connect({ token: 'five', grants })
    t.match((await all.next('ready')).data, {
      channels: ['a', 'b', 'node_17', 'node_18'],
      refused: [],
    })
    const named = connect({ token: 'five', channels: ['a', 'node_18'], grants })
    t.match((await named.next('ready')).data, { channels: ['a', 'node_18', 'node_17', 'b'] })
    for (const channel of ['node_17', 'a', 'node_18', 'node_19', 'b']) {
      await publish({ channel, data: channel })
    }
    for (const reader of [all, named]) {
      t.strictSame(await reader.messages(4), ['node_17', 'a', 'node_18', 'b'])
    }
    t.strictSame(await refusal(connect({ token: 'five', channels: ['node_19'], grants })), channelForbidden)
  })

  t.test('a grant’s prefix pattern allows, but subscribes to nothing', async t => {
    const { knows, connect } = await beginCase(t, transport, withGrants)
    knows('five', { uid: '5', channels: ['a'] })
    const grants = [await grant(['preview_*'])]
    t.match((await connect({ token: 'five', grants }).next('ready')).data, { channels: ['a'], refused: [] })
    const named = connect({ token: 'five', channels: ['preview_1', 'preview_2'], grants })
    t.match((await named.next('ready')).data, { channels: ['preview_1', 'preview_2'] })
  })

  t.test('at its exp a grant’s channels are taken away, but for those that come from elsewhere', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport, withGrants)
    knows('five', { uid: '5', channels: ['a', 'mine'] })
    const exp = fromNow(7)
    const grants = [await grant(['short', 'mine', 'both'], { exp }), await grant(['long', 'both'])]
    const reader = await join({ token: 'five', grants })
    await publish({ channel: 'short', data: 'in time' })
    t.strictSame(await reader.messages(1), ['in time'])
    t.match((await reader.next('ready')).data, {
      channels: ['a', 'mine', 'long', 'both'],
      refused: [{ grant: 0, reason: 'expired' }],
    })
    t.ok(Date.now() >= exp * 1_000, 'not before')
    for (const channel of ['short', 'mine', 'long', 'both']) await publish({ channel, data: channel })
    t.strictSame(await reader.messages(3), ['mine', 'long', 'both'])
    t.strictSame(server.cms.asked, ['five'], 'the CMS need not be asked for that')
  })

  t.test('each grant ends at its own time', async t => {
    const { join } = await beginCase(t, transport, withGrants)
    const grants = [
      await grant(['a'], { exp: fromNow(5) }),
      await grant(['b'], { exp: fromNow(10) }),
      await grant(['c']),
    ]
    const reader = await join({ grants })
    t.match((await reader.next('ready')).data, { channels: ['b', 'c'], refused: [{ grant: 0 }] })
    t.match((await reader.next('ready')).data, { channels: ['c'], refused: [{ grant: 0 }, { grant: 1 }] })
  })

  t.test('a genuine grant needs no token, also when it is over; a forged one is none', async t => {
    const { server, connect, publish } = await beginCase(t, transport, withGrants)
    const reader = connect({ grants: [await grant(['node_17'])] })
    t.match((await reader.next('ready')).data, { uid: null, channels: ['node_17'], refused: [] })
    await publish({ channel: 'node_17', data: 1 })
    t.strictSame(await reader.messages(1), [1])
    const over = await grant(['node_17'], { exp: fromNow(-60) })
    t.match((await connect({ grants: [over] }).next('ready')).data, {
      uid: null,
      channels: [],
      refused: [{ grant: 0, reason: 'expired' }],
    })
    const forged = await signGrant({ channels: ['node_17'], exp: fromNow(60) }, { key: jwtSecret })
    t.strictSame(await refusal(connect({ grants: [forged] })), tokenRequired)
    t.strictSame(await refusal(connect({ grants: ['x.y.z'], channels: ['node_17'] })), tokenRequired)
    t.strictSame(server.cms.asked, [])
  })

  t.test('a channel of a grant that is over is left out; one that is only forged is refused', async t => {
    const { knows, connect } = await beginCase(t, transport, withGrants)
    knows('five', { uid: '5', channels: ['a'] })
    const over = await grant(['node_17', 'preview_*'], { exp: fromNow(-60) })
    const channels = ['a', 'node_17', 'preview_1']
    t.match((await connect({ token: 'five', channels, grants: [over] }).next('ready')).data, {
      channels: ['a'],
      refused: [{ grant: 0, reason: 'expired' }],
    })
    const forged = await signGrant({ channels, exp: fromNow(60) }, { key: jwtSecret })
    t.strictSame(await refusal(connect({ token: 'five', channels, grants: [forged] })), channelForbidden)
    t.strictSame(
      await refusal(connect({ token: 'five', channels: [...channels, 'b'], grants: [over] })),
      channelForbidden,
    )
  })

  t.test('a grant for a user is for nobody else', async t => {
    const { knows, connect, publish } = await beginCase(t, transport, withGrants)
    knows('five', { uid: '5' })
    knows('seven', { uid: '7' })
    const grants = [await grant(['node_17'], { uid: 5 })]
    const five = connect({ token: 'five', grants })
    t.match((await five.next('ready')).data, { channels: ['node_17'], refused: [] })
    const seven = connect({ token: 'seven', grants })
    const none = { channels: [], refused: [{ grant: 0, reason: 'not for this user' }] }
    t.match((await seven.next('ready')).data, none)
    t.match((await connect({ grants }).next('ready')).data, { uid: null, ...none })
    await publish({ channel: 'node_17', data: 1 })
    await publish({ broadcast: true, data: 2 })
    t.strictSame(await five.messages(2), [1, 2])
    t.strictSame(await seven.messages(1), [2])
  })

  t.test('a bad grant fails nothing and is named with its place; the others count', async t => {
    const { knows, connect } = await beginCase(t, transport, withGrants)
    knows('five', { uid: '5', channels: ['a'] })
    const claims = { sub: '5', aud: 'default', channels: ['x'], exp: fromNow(60) }
    const grants = [
      'x.y.z',
      await grant(['b']),
      await grant(['x'], { aud: 'other-site' }),
      await grant(['x'], { exp: fromNow(-1) }),
      await grant(['x'], { uid: '7' }),
      await signToken(claims, { key: grantSecret }),
      await grant(['x\n']),
      await grant(['c']),
    ]
    const { data } = await connect({ token: 'five', grants }).next('ready')
    t.match(data, { channels: ['a', 'b', 'c'] })
    t.strictSame(Object(data).refused, [
      { grant: 0, reason: 'not valid' },
      { grant: 2, reason: 'not valid' },
      { grant: 3, reason: 'expired' },
      { grant: 4, reason: 'not for this user' },
      { grant: 5, reason: 'not valid' },
      { grant: 6, reason: 'not valid' },
    ])
  })

  t.test('no grant makes a subscription larger than it may be', async t => {
    const { knows, connect } = await beginCase(t, transport, { ...withGrants, maxChannels: 4 })
    knows('five', { uid: '5', channels: ['a', 'b'] })
    const grants = [await grant(['c']), await grant(['d', 'e']), await grant(['a', 'f', 'g_*'])]
    t.match((await connect({ token: 'five', grants }).next('ready')).data, {
      channels: ['a', 'b', 'c', 'f'],
      refused: [{ grant: 1, reason: 'too many channels' }],
    })
    const named = connect({ token: 'five', channels: ['a', 'g_1', 'g_2'], grants })
    t.match((await named.next('ready')).data, {
      channels: ['a', 'c', 'd', 'e'],
      refused: [{ grant: 2, reason: 'too many channels' }],
    })
  })

  t.test('where no grants are configured none is accepted', async t => {
    const { knows, connect } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const grants = [await grant(['b'])]
    t.match((await connect({ token: 'five', grants }).next('ready')).data, {
      channels: ['a'],
      refused: [{ grant: 0, reason: 'not accepted here' }],
    })
    t.strictSame(await refusal(connect({ grants })), tokenRequired)
  })

  t.test('when the CMS takes a channel away, a grant for it still counts', async t => {
    const { server, join, publish } = await beginCase(t, transport, { ...withGrants, pollWaitMs: 300 })
    let answers = 0
    server.cms.answer = (_token, response) => {
      answers += 1
      const channels = answers === 1 ? ['a', 'b', 'c'] : ['c']
      response.end(JSON.stringify({ uid: '5', channels, expiresIn: answers === 1 ? 1 : 3_600 }))
    }
    const reader = await join({ token: 'five', grants: [await grant(['a'], { uid: '5' })] })
    t.match((await reader.next('ready')).data, { channels: ['c', 'a'], refused: [] })
    for (const channel of ['a', 'b', 'c']) await publish({ channel, data: channel })
    t.strictSame(await reader.messages(2), ['a', 'c'])
  })

  t.test('a grant and a JWT work together, and neither is taken for the other', async t => {
    const { connect } = await beginCase(t, transport, {
      grantSecrets: [grantSecret],
      jwtSecrets: [jwtSecret],
    })
    const claims = { sub: '5', aud: 'default', channels: ['a'], exp: fromNow(60) }
    const token = await signToken(claims)
    const good = await grant(['b'], { uid: '5' })
    t.match((await connect({ token, grants: [good] }).next('ready')).data, {
      uid: '5',
      channels: ['a', 'b'],
    })
    t.match((await connect({ token, grants: [token] }).next('ready')).data, {
      channels: ['a'],
      refused: [{ grant: 0, reason: 'not valid' }],
    })
    for (const taken of [good, await signGrant({ ...claims }, { key: jwtSecret })]) {
      t.match((await connect({ token: taken }).next('refused')).data, { status: 401 })
    }
  })
}
