import type { Test } from 'tap'
import { defaults } from '../../src/config.js'
import { startServer } from '../../src/server.js'
import { serviceKey } from '../helpers/server.js'
import { beginCase, refusal, type Transport } from './transport-case.js'

const unauthorized = { status: 401, code: 'DOWNPIPE_TOKEN_REFUSED' }
const tokenRequired = { status: 401, code: 'DOWNPIPE_TOKEN_REQUIRED' }
const channelForbidden = { status: 403, code: 'DOWNPIPE_CHANNEL_FORBIDDEN' }

/** Who is let in, and to what. */
export function accessSuite(t: Test, transport: Transport): void {
  t.test('naming channels narrows to them; the user and everybody stay reachable', async t => {
    const { knows, connect, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'b', 'c'] })
    const reader = connect({ token: 'five', channels: ['b', 'a', 'b'] })
    t.match((await reader.next('ready')).data, { channels: ['b', 'a'] })
    await publish({ channel: 'c', data: 1 })
    await publish({ channel: 'b', data: 2 })
    await publish({ uid: '5', data: 3 })
    await publish({ broadcast: true, data: 4 })
    t.strictSame(await reader.messages(3), [2, 3, 4])
  })

  t.test('a prefix pattern allows, but subscribes to nothing', async t => {
    const { knows, connect, publish } = await beginCase(t, transport, { anonymousChannels: ['open_*'] })
    knows('five', { uid: '5', channels: ['a', 'node_*', '*x'] })
    const all = connect({ token: 'five' })
    t.match((await all.next('ready')).data, { channels: ['a', '*x'] })
    const named = connect({ token: 'five', channels: ['node_17', 'node_', 'open_1'] })
    t.match((await named.next('ready')).data, { channels: ['node_17', 'node_', 'open_1'] })
    await publish({ channel: 'node_17', data: 1 })
    await publish({ channel: 'a', data: 2 })
    await publish({ channel: 'open_1', data: 3 })
    t.strictSame(await all.messages(1), [2])
    t.strictSame(await named.messages(2), [1, 3])
  })

  t.test('a channel that is not allowed is refused by its name', async t => {
    const { knows, connect } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'node_*'] })
    for (const channel of ['b', 'node', 'A', 'xnode_1']) {
      const { data } = await connect({ token: 'five', channels: ['a', channel] }).next('refused')
      const message = `the channel "${channel}" is not allowed to this identity`
      t.match(data, {
        status: 403,
        body: { ...channelForbidden, message, status: undefined, statusCode: 403 },
      })
    }
  })

  t.test('a token that the CMS does not know is refused, and asked about once', async t => {
    const { server, connect } = await beginCase(t, transport)
    for (const _ of [1, 2, 3]) {
      t.strictSame(await refusal(connect({ token: 'nobody' })), unauthorized)
    }
    t.strictSame(server.cms.asked, ['nobody'])
  })

  t.test('many connections with one token are one question, also when they come at once', async t => {
    const { server, knows, join } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    await Promise.all(Array.from({ length: 10 }, () => join({ token: 'five' })))
    await join({ token: 'five' })
    t.strictSame(server.cms.asked, ['five'])
  })

  t.test('without a token there is nothing, unless something is open to all', async t => {
    const closed = await beginCase(t, transport)
    t.strictSame(await refusal(closed.connect({ channels: ['a'] })), tokenRequired)
    t.strictSame(await refusal(closed.connect({})), tokenRequired)

    const open = await beginCase(t, transport, { anonymousChannels: ['front', 'public_*'] })
    const all = open.connect({})
    t.match((await all.next('ready')).data, { uid: null, channels: ['front'] })
    const named = open.connect({ channels: ['public_1'] })
    t.match((await named.next('ready')).data, { uid: null, channels: ['public_1'] })
    t.strictSame(await refusal(open.connect({ channels: ['public_1', 'staff'] })), channelForbidden)
    await open.publish({ channel: 'front', data: 1 })
    await open.publish({ channel: 'public_1', data: 2 })
    await open.publish({ broadcast: true, data: 3 })
    t.strictSame(await all.messages(2), [1, 3])
    t.strictSame(await named.messages(2), [2, 3])
    t.strictSame(open.server.cms.asked, [])
  })

  t.test('the service key reads any channel that it names, and the CMS is not asked', async t => {
    const { server, connect, publish } = await beginCase(t, transport)
    const headers = { authorization: `Bearer ${serviceKey}` }
    const reader = connect({ headers, channels: ['a', 'user_5'] })
    t.match((await reader.next('ready')).data, { uid: null, channels: ['a', 'user_5'] })
    await publish({ uid: '5', data: 1 })
    await publish({ channel: 'user_5', data: 2 })
    t.strictSame(await reader.messages(1), [2])
    t.match((await connect({ headers }).next('ready')).data, { channels: [] })
    t.strictSame(server.cms.asked, [])
    const inTheAddress = connect({ token: serviceKey, channels: ['a'] })
    t.match((await inTheAddress.next('refused')).data, { status: 401 }, 'it must not be in addresses')
  })

  t.test('the token is looked for in header, query and cookie, and a bad one is not passed over', async t => {
    const { server, knows, connect } = await beginCase(t, transport, {
      tokenCookie: 'sid',
      anonymousChannels: ['front'],
      verifyRate: 0,
    })
    for (const uid of ['header', 'query', 'cookie']) knows(uid, { uid, channels: [] })
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const cookie = (token: string) => ({ cookie: `other=1; sid=${token}` })

    const good = [
      [{ headers: { ...bearer('header'), ...cookie('cookie') }, token: 'query' }, 'header'],
      [{ headers: { ...bearer('header'), ...cookie('bad') }, token: 'bad' }, 'header'],
      [{ headers: cookie('cookie'), token: 'query' }, 'query'],
      [{ headers: cookie('bad'), token: 'query' }, 'query'],
      [{ headers: cookie('cookie') }, 'cookie'],
      [{ headers: { authorization: 'bearer  header' } }, 'header'],
      [{ headers: { authorization: 'Basic dXNlcjpwYXNz', ...cookie('cookie') } }, 'cookie'],
      [{ headers: { cookie: 'other=1' } }, null],
    ] as const
    for (const [ask, uid] of good) {
      t.match((await connect(ask).next('ready')).data, { uid }, `${JSON.stringify(ask)} is ${uid}`)
    }

    const bad = [
      { headers: { ...bearer('bad'), ...cookie('cookie') }, token: 'query' },
      { headers: { authorization: 'Bearer ', ...cookie('cookie') }, token: 'query' },
      { headers: { authorization: 'Bearer', ...cookie('cookie') }, token: 'query' },
      { headers: cookie('cookie'), token: 'bad' },
      { headers: cookie('cookie'), token: '' },
      { headers: cookie('bad') },
      { headers: cookie('') },
    ]
    for (const ask of bad) {
      t.strictSame(await refusal(connect(ask)), unauthorized, `${JSON.stringify(ask)} is refused`)
    }
    t.strictSame([...new Set(server.cms.asked)].sort(), ['bad', 'cookie', 'header', 'query'])
  })

  t.test('a grant that is not accepted fails nothing, and is named in ready', async t => {
    const { knows, connect } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const { data } = await connect({ token: 'five', query: { grant: 'x.y.z' } }).next('ready')
    t.match(data, { channels: ['a'], refused: [{ grant: 0, reason: String }] })
  })

  t.test('a cookie means nothing where none is configured', async t => {
    const { server, connect } = await beginCase(t, transport)
    t.strictSame(await refusal(connect({ headers: { cookie: 'token=five; sid=five' } })), tokenRequired)
    t.strictSame(server.cms.asked, [])
  })

  t.test('without an auth URL no token is good', async t => {
    const listen = [{ host: '127.0.0.1', port: 0 }]
    const server = await startServer(defaults({ listen, anonymousChannels: ['*'], logLevel: 'silent' }))
    t.teardown(() => server.close())
    t.strictSame(await refusal(transport.connect(server.url, { token: 'five' })), unauthorized)
    const without = transport.connect(server.url, { channels: ['a'] })
    t.match((await without.next('ready')).data, { uid: null, channels: ['a'] })
    without.close()
  })
}
