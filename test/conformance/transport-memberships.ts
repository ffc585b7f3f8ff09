import type { Test } from 'tap'
import { until } from '../helpers/calls.js'
import { fromNow, jwtSecret, signToken } from '../helpers/jwt.js'
import { beginCase, refusal, type Transport } from './transport-case.js'

const done = { status: 200, body: {} }
const forbidden = { status: 403, code: 'DOWNPIPE_CHANNEL_FORBIDDEN' }

/** Channels that the CMS adds, takes away, and has asked for anew. */
export function membershipSuite(t: Test, transport: Transport): void {
  t.test('a channel that is added reaches every connection of the user, whatever its token', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    knows('five-too', { uid: '5', channels: [] })
    knows('seven', { uid: '7', channels: ['a'] })
    const [one, two, other] = [
      await join({ token: 'five' }),
      await join({ token: 'five-too' }),
      await join({ token: 'seven' }),
    ]
    const narrow = await join({ token: 'five', channels: ['a'] })
    t.strictSame(await server.membership('PUT', '5', 'extra'), done)
    t.match((await one.next('ready')).data, { uid: '5', channels: ['a', 'extra'] })
    t.match((await two.next('ready')).data, { uid: '5', channels: ['extra'] })
    t.match((await narrow.next('ready')).data, { uid: '5', channels: ['a', 'extra'] })
    await publish({ channel: 'extra', data: 1 })
    await publish({ channel: 'a', data: 2 })
    for (const reader of [one, narrow]) t.strictSame(await reader.messages(2), [1, 2])
    t.strictSame(await two.messages(1), [1])
    t.strictSame(await other.messages(1), [2])
    t.strictSame(server.cms.asked, ['five', 'five-too', 'seven'], 'and nobody is asked for it')
  })

  t.test('a channel may be added for a user who has no connection yet', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: 5, channels: [] })
    knows('six', { uid: 6, channels: [] })
    for (const name of ['extra', 'a/b?c#d', '50 %', 'ünï ☃']) await server.membership('PUT', '5', name)
    const reader = await join({ token: 'five' })
    await publish({ channel: 'a/b?c#d', data: 1 })
    t.strictSame(await reader.messages(1), [1])
    await publish({ channel: 'ünï ☃', data: 2 })
    t.strictSame(await reader.messages(1), [2])
    const other = await join({ token: 'six' })
    await publish({ broadcast: true, data: 3 })
    t.strictSame(await other.messages(1), [3])
  })

  t.test('what is retained in a channel may be read by who was added to it', async t => {
    const { server, knows, join, connect, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: [] })
    const start = await publish({ channel: 'other', data: 0 })
    await publish({ channel: 'extra', data: 1 })
    await server.membership('PUT', '5', 'extra')
    const reader = await join({ token: 'five', since: start })
    t.strictSame(await reader.messages(1), [1])
    t.match((await connect({ token: 'five', channels: ['extra'] }).next('ready')).data, {
      channels: ['extra'],
    })
  })

  t.test('an added channel is taken away again, from present and future connections', async t => {
    const { server, knows, join, connect, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    await server.membership('PUT', '5', 'extra')
    const reader = await join({ token: 'five' })
    t.strictSame(await server.membership('DELETE', '5', 'extra'), done)
    t.match((await reader.next('ready')).data, { channels: ['a'] })
    await publish({ channel: 'extra', data: 1 })
    await publish({ channel: 'a', data: 2 })
    t.strictSame(await reader.messages(1), [2])
    t.strictSame(await refusal(connect({ token: 'five', channels: ['extra'] })), forbidden)
    t.strictSame(await server.membership('DELETE', '5', 'never-added'), done)
    await publish({ channel: 'a', data: 3 })
    t.strictSame(await reader.messages(1), [3], 'and taking away what is not there is nothing')
  })

  t.test('a channel of the identity is hidden until the identity is fetched anew', async t => {
    const { server, knows, join, connect, publish } = await beginCase(t, transport, {
      verifyTtlMs: 3_600_000,
    })
    knows('five', { uid: '5', channels: ['a', 'b', 'node_*'] })
    knows('five-too', { uid: '5', channels: ['a', 'b'] })
    const reader = await join({ token: 'five' })
    const pattern = await join({ token: 'five', channels: ['b', 'node_1', 'node_2'] })
    await server.membership('DELETE', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: ['b'] })
    await server.membership('DELETE', '5', 'node_1')
    t.match((await pattern.next('ready')).data, { channels: ['b', 'node_2'] })
    await publish({ channel: 'a', data: 1 })
    await publish({ channel: 'node_1', data: 2 })
    await publish({ channel: 'b', data: 3 })
    t.strictSame(await reader.messages(1), [3])
    const next = await pattern.next()
    // A poll names its channels each time, and is told which of them is gone.
    if (next.event === 'refused') t.match(next.data, { status: 403, body: { channel: 'node_1' } })
    else t.match(next, { event: 'message', data: { data: 3 } })
    t.match((await connect({ token: 'five' }).next('ready')).data, { channels: ['b'] })
    t.strictSame(await refusal(connect({ token: 'five', channels: ['a'] })), forbidden)
    t.strictSame(server.cms.asked, ['five'])
    const fresh = await join({ token: 'five-too' })
    await publish({ channel: 'a', data: 4 })
    t.strictSame(await fresh.messages(1), [4], 'an answer that is newer than the call counts')
    await server.post('/refresh', { uid: '5' })
    t.match((await reader.next('ready')).data, { channels: ['a', 'b'] })
    if (next.event === 'message')
      t.match((await pattern.next('ready')).data, { channels: ['b', 'node_1', 'node_2'] })
  })

  t.test('a channel of a JWT is hidden until a newer one comes', async t => {
    const { server, join, connect } = await beginCase(t, transport, { jwtSecrets: [jwtSecret] })
    const made = (iat: number | undefined) =>
      signToken({ sub: '5', channels: ['a', 'b'], exp: fromNow(600), ...(iat !== undefined && { iat }) })
    const now = Math.floor(Date.now() / 1_000)
    const reader = await join({ token: await made(now - 60) })
    await server.membership('DELETE', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: ['b'] })
    for (const [iat, channels] of [
      [now - 30, ['b']],
      [undefined, ['b']],
      [now + 60, ['a', 'b']],
    ] as const) {
      t.match((await connect({ token: await made(iat) }).next('ready')).data, { channels }, String(iat))
    }
    await server.membership('PUT', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: ['a', 'b'] })
  })

  t.test('a channel that was taken away and is added again is there', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    await server.membership('DELETE', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: [] })
    await server.membership('PUT', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: ['a'] })
    await publish({ channel: 'a', data: 1 })
    t.strictSame(await reader.messages(1), [1])
  })

  t.test('when more is taken away than is remembered, the CMS is asked', async t => {
    const { server, knows, join } = await beginCase(t, transport, { maxChannels: 2 })
    knows('five', { uid: '5', channels: ['a', 'b'] })
    const reader = await join({ token: 'five' })
    await server.membership('DELETE', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: ['b'] })
    await server.membership('DELETE', '5', 'other')
    knows('five', { uid: '5', channels: ['c'] })
    await server.membership('DELETE', '5', 'b')
    const told = async () => Object((await reader.next('ready')).data).channels
    let channels = await told()
    // It is taken away at once, whenever the CMS answers.
    if (channels.length === 0) channels = await told()
    t.strictSame(channels, ['c'])
    t.strictSame(server.cms.asked, ['five', 'five'])
  })

  // Whom nobody is asked about had everything back that was taken away before.
  t.test('when more is taken away than is remembered, a JWT made before gives nothing', async t => {
    const { server, connect, join } = await beginCase(t, transport, {
      maxChannels: 2,
      jwtSecrets: [jwtSecret],
    })
    const now = Math.floor(Date.now() / 1_000)
    const made = (iat: number) => signToken({ sub: '5', channels: ['a', 'node_*'], iat, exp: fromNow(600) })
    const reader = await join({ token: await made(now - 60) })
    await server.membership('DELETE', '5', 'a')
    t.match((await reader.next('ready')).data, { channels: [] })
    for (const channel of ['node_1', 'node_2']) await server.membership('DELETE', '5', channel)
    const again = connect({ token: await made(now - 30) })
    t.strictSame(Object((await again.next('ready')).data).channels, [])
    t.strictSame(await refusal(connect({ token: await made(now - 30), channels: ['a'] })), forbidden)
    const newer = connect({ token: await made(now + 60) })
    t.strictSame(Object((await newer.next('ready')).data).channels, ['a'])
  })

  t.test('changes and messages keep their order', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    for (let round = 0; round < 3; round++) {
      await server.membership('PUT', '5', 'extra')
      await publish({ channel: 'extra', data: `in ${round}` })
      await server.membership('DELETE', '5', 'extra')
      await publish({ channel: 'extra', data: `out ${round}` })
    }
    await publish({ channel: 'a', data: 'end' })
    const seen: unknown[] = []
    while (seen.at(-1) !== 'end') {
      const { event, data } = await reader.next()
      if (event === 'message')
        seen.push(data !== null && typeof data === 'object' && 'data' in data && data.data)
    }
    // A poller that was away while it was a member, and is none when it comes back, may not read what it missed.
    const isOrdered = seen.every(
      (data, index) => index === 0 || String(seen[index - 1]) < String(data) || data === 'end',
    )
    t.ok(isOrdered && seen.every(data => !String(data).startsWith('out')), JSON.stringify(seen))
  })

  t.test('a refresh asks the CMS again and applies the difference, without a close', async t => {
    const { server, knows, join, connect, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'b'] })
    knows('five-too', { uid: '5', channels: ['b'], info: { name: 'Ada' } })
    knows('seven', { uid: '7', channels: ['a'] })
    const [one, two, other] = [
      await join({ token: 'five' }),
      await join({ token: 'five-too' }),
      await join({ token: 'seven' }),
    ]
    knows('five', { uid: '5', channels: ['b', 'c'] })
    knows('five-too', { uid: '5', channels: ['b'], info: { name: 'Ada L.' } })
    t.strictSame(await server.post('/refresh', { uid: 5 }), done)
    t.match((await one.next('ready')).data, { channels: ['b', 'c'] })
    t.match((await two.next('ready')).data, { channels: ['b'], info: { name: 'Ada L.' } })
    await publish({ channel: 'a', data: 1 })
    await publish({ channel: 'c', data: 2 })
    t.strictSame(await one.messages(1), [2])
    t.strictSame(await other.messages(1), [1])
    t.strictSame([...server.cms.asked].sort(), ['five', 'five', 'five-too', 'five-too', 'seven'])
    t.match((await connect({ token: 'five' }).next('ready')).data, { channels: ['b', 'c'] })
    t.equal(server.cms.asked.length, 5, 'what was asked for the connections is known for the next')
  })

  t.test('who asks for all that is listed, and more, gets what is listed later', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'node_*'] })
    const reader = await join({ token: 'five', channels: ['*', 'node_1'] })
    knows('five', { uid: '5', channels: ['b', 'node_*'] })
    await server.post('/refresh', { uid: '5' })
    t.match((await reader.next('ready')).data, { channels: ['b', 'node_1'] })
    await publish({ channel: 'a', data: 1 })
    await publish({ channel: 'b', data: 2 })
    await publish({ channel: 'node_1', data: 3 })
    t.strictSame(await reader.messages(2), [2, 3])
  })

  t.test('a refresh of somebody who is not here has the CMS asked at the next connection', async t => {
    const { server, knows, connect, join } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    reader.close()
    knows('five', { uid: '5', channels: ['b'] })
    await server.post('/refresh', { uid: '5' })
    t.match((await connect({ token: 'five' }).next('ready')).data, { channels: ['b'] })
    t.strictSame(await server.post('/refresh', { uid: 'nobody' }), done)
  })

  t.test('a refresh that finds the token refused closes as expired', async t => {
    const { server, knows, join } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    server.cms.identities.delete('five')
    await server.post('/refresh', { uid: '5' })
    const { event, data } = await reader.next()
    if (event === 'close') t.match(data, { reason: 'expired', reconnect: true })
    else t.match({ event, data }, transport.expired)
  })

  t.test('a refresh while the CMS is away changes nothing until it is back', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    server.cms.answer = (_token, response) => response.writeHead(500).end()
    await server.post('/refresh', { uid: '5' })
    await until('the question', () => server.cms.asked.length >= 2)
    await publish({ channel: 'a', data: 1 })
    const seen = await reader.next()
    // A poller comes back after each answer, and is told to wait until the CMS can be asked.
    t.ok(seen.event === 'message' || seen.event === 'refused', seen.event)
  })
}
