import t from 'tap'
import { publish } from '../../helpers/calls.js'
import { startCuttingProxy } from '../../helpers/cutting-proxy.js'
import { payloads } from '../../helpers/payloads.js'
import { serviceKey, startTestServer } from '../../helpers/server.js'
import { listen, messageData, until } from './listener.js'

// A Node program as a subscriber of the real server.

for (const transport of ['sse', 'poll'] as const) {
  t.test(`${transport}: with a service key a program reads any channel, and only what it names`, async t => {
    const server = await startTestServer({ maxDataBytes: 2_000_000, maxBodyBytes: 8_000_000 })
    t.teardown(() => server.close())
    const { told, push } = listen(t, server.url, { token: serviceKey, channels: ['a'], transport })
    t.equal(push.transport, transport)
    t.match(await until(told, 'ready'), { uid: null, channels: ['a'], presence: [], refused: [] })
    await publish(server, { channel: 'b', data: 'not asked for' })
    const ids: string[] = []
    for (const data of payloads) ids.push(await publish(server, { channel: 'a', data }))
    for (const [index, data] of payloads.entries()) {
      const message = await until(told, 'message')
      t.match(message, { channel: 'a', id: ids[index] })
      t.equal(JSON.stringify(messageData(message)), JSON.stringify(data))
    }
    push.on('b', () => {})
    t.match(await until(told, 'ready'), { channels: ['a', 'b'] })
    const id = await publish(server, { channel: 'b', data: 'asked for' })
    t.strictSame(await until(told, 'message'), { channel: 'b', data: 'asked for', id })
  })

  t.test(`${transport}: a wrong key is final, and the error says so`, async t => {
    const server = await startTestServer()
    t.teardown(() => server.close())
    const { told } = listen(t, server.url, { token: 'no-key', transport })
    t.match(await until(told, 'error'), { code: 'DOWNPIPE_TOKEN_REFUSED', status: 401, final: true })
  })

  t.test(`${transport}: what was published while the way was cut arrives, once and in order`, async t => {
    const server = await startTestServer()
    t.teardown(() => server.close())
    const proxy = await startCuttingProxy(server.url, () => Number.POSITIVE_INFINITY)
    t.teardown(() => proxy.close())
    const { told } = listen(t, proxy.url, { token: serviceKey, channels: ['a'], transport })
    await until(told, 'ready')
    await publish(server, { channel: 'a', data: 0 })
    t.match(await until(told, 'message'), { data: 0 })
    proxy.drop()
    for (let data = 1; data <= 50; data++) await publish(server, { channel: 'a', data })
    proxy.restore()
    for (let data = 1; data <= 50; data++) t.match(await until(told, 'message'), { data })
  })

  t.test(`${transport}: after a restart a gap says that messages may be missing, and it goes on`, async t => {
    const before = await startTestServer()
    const { told } = listen(t, before.url, { token: serviceKey, channels: ['a'], transport })
    await until(told, 'ready')
    const since = await publish(before, { channel: 'a', data: 'before' })
    await until(told, 'message')
    await before.close()
    const after = await startTestServer({
      listen: [{ host: '127.0.0.1', port: Number(new URL(before.url).port) }],
    })
    t.teardown(() => after.close())
    t.match(await until(told, 'gap'), { since, reason: 'unknown', initial: false })
    await publish(after, { channel: 'a', data: 'after' })
    t.match(await until(told, 'message'), { data: 'after' })
  })
}
