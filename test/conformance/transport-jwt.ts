import type { Test } from 'tap'
import { connected } from '../helpers/calls.js'
import { createPair, fromNow, jwtSecret, type Signing, signToken, startKeyServer } from '../helpers/jwt.js'
import type { Reader } from '../helpers/reader.js'
import { beginCase, refusal, type Transport } from './transport-case.js'

const refused = { status: 401, code: 'DOWNPIPE_TOKEN_REFUSED' }
const kicked = { status: 403, code: 'DOWNPIPE_USER_KICKED' }

/** A server that takes JWTs. */
const withJwt = { jwtSecrets: [jwtSecret] }

/** Signs a token of user 5, who may read `a`. */
function sign(claims: Record<string, unknown> = {}, signing?: Signing): Promise<string> {
  return signToken({ sub: '5', channels: ['a'], exp: fromNow(3_600), ...claims }, signing)
}

/** Tokens that are JWTs: nobody is asked about them, and they end by themselves. */
export function jwtSuite(t: Test, transport: Transport): void {
  t.test('a JWT says itself who comes and what may be read, and nobody is asked', async t => {
    const { server, connect, publish } = await beginCase(t, transport, withJwt)
    const token = await sign({ channels: ['a', 'b', 'node_*'], info: { name: 'Ann' }, visibleTo: ['7'] })
    const all = connect({ token })
    t.match((await all.next('ready')).data, { uid: '5', channels: ['a', 'b'], info: { name: 'Ann' } })
    const named = connect({ headers: { authorization: `Bearer ${token}` }, channels: ['node_17'] })
    t.match((await named.next('ready')).data, { channels: ['node_17'] })
    for (const target of [{ channel: 'a' }, { channel: 'node_17' }, { uid: '5' }]) {
      await publish({ ...target, data: target })
    }
    t.strictSame(await all.messages(2), [{ channel: 'a' }, { uid: '5' }])
    t.strictSame(await named.messages(2), [{ channel: 'node_17' }, { uid: '5' }])
    t.strictSame(await refusal(connect({ token, channels: ['c'] })), {
      status: 403,
      code: 'DOWNPIPE_CHANNEL_FORBIDDEN',
    })
    t.strictSame(server.cms.asked, [])
  })

  t.test('a JWT that is not good is refused and never asked about; other tokens are asked about', async t => {
    const { server, knows, connect, join } = await beginCase(t, transport, {
      ...withJwt,
      jwtAudience: 'push',
      anonymousChannels: ['front'],
    })
    const aud = 'push'
    const good = await sign({ aud })
    knows(good, { uid: 'somebody else' })
    knows('opaque', { uid: '7' })
    const bad = [
      `${good.slice(0, -5)}AAAAA`,
      await sign(),
      await sign({ aud: 'other' }),
      await sign({ aud, exp: fromNow(-6) }),
      await sign({ aud, exp: undefined }),
      await sign({ aud, nbf: fromNow(60) }),
      await sign({ aud, sub: undefined }),
      await sign({ aud, channels: 'a' }),
      await sign({ aud }, { header: { typ: 'downpipe-grant+jwt' } }),
    ]
    for (const token of bad) t.strictSame(await refusal(connect({ token })), refused)
    t.match((await connect({ token: good }).next('ready')).data, { uid: '5' })
    t.strictSame(server.cms.asked, [])
    await join({ token: 'opaque' })
    t.strictSame(server.cms.asked, ['opaque'])
  })

  t.test('when more is taken away than is remembered, a JWT from before gets nothing of it back', async t => {
    const { server, connect, join } = await beginCase(t, transport, { ...withJwt, maxChannels: 2 })
    const claims = { channels: ['a', 'b', 'c_*'] }
    const [dated, undated] = [await sign({ ...claims, iat: fromNow(-60) }), await sign(claims)]
    const reader = await join({ token: dated })
    for (const [channel, left] of [
      ['a', ['b']],
      ['b', []],
    ] as const) {
      await server.membership('DELETE', '5', channel)
      t.match((await reader.next('ready')).data, { channels: left })
    }
    t.match(await server.membership('DELETE', '5', 'c_1'), { status: 200 })
    for (const token of [dated, undated]) {
      for (const channel of ['a', 'b', 'c_1']) {
        t.match(await refusal(connect({ token, channels: [channel] })), { status: 403 }, channel)
      }
    }
    // The live one was told of nothing in between.
    await server.membership('PUT', '5', 'd')
    t.strictSame(Object((await reader.next('ready')).data).channels, ['d'])
    const later = await sign({ ...claims, iat: fromNow(60) })
    t.strictSame(Object((await connect({ token: later }).next('ready')).data).channels, ['a', 'b', 'd'])
  })

  t.test('without JWT options a JWT is asked about like any token', async t => {
    const { server, knows, connect } = await beginCase(t, transport)
    const token = await sign()
    knows(token, { uid: '7' })
    t.match((await connect({ token }).next('ready')).data, { uid: '7' })
    t.strictSame(server.cms.asked, [token])
  })

  t.test('at the exp of a JWT its subscription is over, and nobody is asked', async t => {
    const { server, join, connect, publish } = await beginCase(t, transport, {
      ...withJwt,
      jwtClockToleranceMs: 0,
    })
    const exp = fromNow(7)
    const token = await sign({ exp })
    const [reader, other] = [await join({ token }), await join({ token: await sign() })]
    await publish({ channel: 'a', data: 1 })
    t.strictSame(await reader.messages(1), [1])
    await isOver(t, reader, transport)
    t.ok(Date.now() >= exp * 1_000, 'not before')
    t.strictSame(await refusal(connect({ token, since: reader.cursor ?? '' })), refused)
    await publish({ channel: 'a', data: 2 })
    t.strictSame(await other.messages(2), [1, 2])
    t.strictSame(server.cms.asked, [])
  })

  t.test('who comes late, but within the tolerance, stays until that is over', async t => {
    const { connect } = await beginCase(t, transport, { ...withJwt, jwtClockToleranceMs: 8_000 })
    const exp = fromNow(-5)
    const reader = connect({ token: await sign({ exp }) })
    t.match((await reader.next('ready')).data, { uid: '5' })
    await isOver(t, reader, transport)
    t.ok(Date.now() >= exp * 1_000 + 8_000)
  })

  t.test('an exp in the far future ends nothing', async t => {
    const { server, join, publish } = await beginCase(t, transport, withJwt)
    const readers: Reader[] = []
    for (const exp of [fromNow(2 ** 31 / 1_000), 253_402_300_799, Number.MAX_SAFE_INTEGER, 1e300]) {
      readers.push(await join({ token: await sign({ exp }) }))
    }
    // Two beats of the clock by which everything is ended.
    await new Promise(resolve => setTimeout(resolve, 600))
    await connected(server, readers.length)
    await publish({ channel: 'a', data: 1 })
    for (const reader of readers) t.strictSame(await reader.messages(1), [1])
  })

  t.test('a logout of a JWT closes its connections and refuses it, however it is spelled', async t => {
    const { server, join, connect, publish } = await beginCase(t, transport, withJwt)
    const [phone, desk] = [await sign({ jti: 'phone' }), await sign({ jti: 'desk' })]
    const [one, two, other] = [
      await join({ token: phone }),
      await join({ token: phone }),
      await join({ token: desk }),
    ]
    await connected(server, 3)
    t.match(await server.post('/logout', { token: phone }), { status: 200 })
    for (const reader of [one, two]) {
      t.match((await reader.next('close')).data, { reason: 'logout', reconnect: false })
      await reader.next('end')
    }
    for (const letter of 'ABCDEFGHIJKLMNOP') {
      const token = phone.slice(0, -1) + letter
      t.strictSame(await refusal(connect({ token })), refused)
    }
    t.strictSame(await refusal(connect({ token: phone })), refused)
    await publish({ channel: 'a', data: 1 })
    t.strictSame(await other.messages(1), [1])
    t.strictSame(server.cms.asked, [])
  })

  t.test('a kick closes a JWT’s connections and refuses the user for the hold only', async t => {
    const { server, join, connect } = await beginCase(t, transport, withJwt)
    const token = await sign()
    const reader = await join({ token })
    await connected(server, 1)
    await server.post('/kick', { uid: '5', hold: 2 })
    t.match((await reader.next('close')).data, { reason: 'kick' })
    t.strictSame(await refusal(connect({ token })), kicked)
    for (;;) {
      const event = await connect({ token }).next()
      if (event.event === 'ready') break
    }
    t.strictSame(server.cms.asked, [])
  })

  t.test('a CMS that hangs holds no JWT up', async t => {
    const { server, connect, join } = await beginCase(t, transport, {
      ...withJwt,
      verifyConcurrency: 1,
      verifyQueue: 0,
    })
    server.cms.answer = () => {}
    connect({ token: 'opaque' })
    connect({ token: 'opaque-too' })
    await join({ token: await sign() })
  })

  t.test('keys that cannot be fetched are for now; what needs none of them goes on', async t => {
    const keys = await startKeyServer(t)
    const { server, connect, join } = await beginCase(t, transport, { ...withJwt, jwksUrl: keys.url })
    const pair = await createPair('RS256', 'one')
    const signing = { key: pair.privateKey, header: { alg: 'RS256', kid: 'one' } }
    const token = await sign({}, signing)
    keys.answer = response => response.writeHead(500).end()
    await isBusy(t, connect({ token }))
    await join({ token: await sign() })
    t.strictSame(await refusal(connect({ token: await sign({ exp: fromNow(-6) }, signing) })), refused)
    t.equal(keys.asked, 1)
    keys.answer = undefined
    keys.keys = [pair.jwk]
    for (;;) {
      const event = await connect({ token }).next()
      if (event.event === 'ready') break
    }
    t.strictSame(server.cms.asked, [])
  })
}

/** The subscription is closed as `expired`; a poll may also find that out when it comes again. */
async function isOver(t: Test, reader: Reader, transport: Transport): Promise<void> {
  const event = await reader.next()
  if (event.event === 'close') t.match(event.data, { reason: 'expired', reconnect: true })
  else t.match(event, transport.expired)
  await reader.next('end')
}

/** A refusal for now: a stream that is closed as `busy`, a poll that is answered 503. */
async function isBusy(t: Test, reader: Reader): Promise<void> {
  const { event, data } = await reader.next()
  if (event === 'close') t.match(data, { reason: 'busy', reconnect: true })
  else t.match(data, { status: 503, body: { code: 'DOWNPIPE_BUSY' } })
}
