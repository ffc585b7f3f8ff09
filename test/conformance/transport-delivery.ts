import type { Test } from 'tap'
import { connected } from '../helpers/calls.js'
import { payloads, strangeNames } from '../helpers/payloads.js'
import { beginCase, type Transport } from './transport-case.js'

/** Who gets what, and that it arrives as it was sent. */
export function deliverySuite(t: Test, transport: Transport): void {
  t.test('ready says who reads what, and nothing that is none of the page’s business', async t => {
    const { server, knows, connect } = await beginCase(t, transport)
    knows('t5', {
      uid: 5,
      channels: ['news', 'public_*', 'user_5', 'news'],
      visibleTo: ['7'],
      expiresIn: 600,
      info: { name: 'Ada' },
      mail: 'ada@example.org',
    })
    const { id, data } = await connect({ token: 't5' }).next('ready')
    t.match(data, { v: /^[\w-]+$/ })
    t.strictSame(data, {
      uid: '5',
      channels: ['news', 'user_5'],
      heartbeat: 25,
      v: Object(data).v,
      presence: [],
      refused: [],
      info: { name: 'Ada' },
    })
    t.match(id, /^\d+-0$/)
    t.strictSame(server.cms.asked, ['t5'])
  })

  t.test(
    'a message reaches whoever listens to its channel, its user or is here at all, and nobody else',
    async t => {
      const { server, knows, join, publish } = await beginCase(t, transport)
      knows('five', { uid: '5', channels: ['a', 'b'] })
      knows('seven', { uid: '7', channels: ['b', 'c'] })
      const five = await join({ token: 'five' })
      const seven = await join({ token: 'seven' })
      const fiveAgain = await join({ token: 'five', channels: ['a'] })
      await connected(server, 3)
      await publish({ channel: 'a', data: 1 })
      await publish({ channel: 'c', data: 2 })
      await publish({ channels: ['a', 'b', 'c', 'a'], data: 3 })
      await publish({ uid: 5, data: 4 })
      await publish({ uids: ['7', 5, 7], data: 5 })
      await publish({ uids: ['8'], data: 6 })
      await publish({ channel: 'nobody', data: 7 })
      await publish({ broadcast: true, data: 8 })
      t.strictSame(await five.messages(5), [1, 3, 4, 5, 8])
      t.strictSame(await seven.messages(4), [2, 3, 5, 8])
      t.strictSame(await fiveAgain.messages(5), [1, 3, 4, 5, 8])
    },
  )

  t.test('a message holds its target’s channels, its data and what is for the page, and no more', async t => {
    const { knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'b'] })
    const reader = await join({ token: 'five' })
    const sent = [
      { channel: 'a', data: { text: 'x' } },
      { channel: 'a' },
      { channels: ['a', 'b'], data: null, callback: 'show' },
      { uid: '5', channel: 'inbox', data: 0, callback: ['show', 'count'], type: 'html', except: 'page-1' },
      { uids: ['5', '6'], data: '' },
      { broadcast: true, data: false, ttl: 60, idempotencyKey: 'k-1' },
    ]
    const ids: string[] = []
    for (const message of sent) ids.push(await publish(message))
    const received = []
    for (const _ of sent) received.push(await reader.next('message'))
    t.strictSame(
      received.map(({ id }) => id),
      ids,
    )
    t.strictSame(
      received.map(({ data }) => data),
      [
        { channel: 'a', data: { text: 'x' } },
        { channel: 'a', data: null },
        { channels: ['a', 'b'], data: null, callback: 'show' },
        { channel: 'inbox', data: 0, callback: ['show', 'count'], type: 'html', except: 'page-1' },
        { data: '' },
        { data: false },
      ],
    )
  })

  t.test('whatever a publisher sends arrives unchanged', async t => {
    const mebibytes = 4 * 1024 * 1024
    const { knows, connect, join, publish } = await beginCase(t, transport, {
      maxDataBytes: mebibytes,
      outboxBytes: mebibytes,
    })
    // The CMS's answer has a limit of its own.
    const info = payloads.filter(payload => JSON.stringify(payload).length < 1_000)
    knows('five', { uid: '5', channels: ['a'], info })
    const live = connect({ token: 'five', since: '0' })
    t.equal(JSON.stringify(Object((await live.next('ready')).data).info), JSON.stringify(info))
    for (const data of payloads) {
      await publish({ channel: 'a', data })
      t.equal(JSON.stringify(await live.messages(1)), JSON.stringify([data]))
    }
    const late = await join({ token: 'five', since: '0' })
    t.equal(JSON.stringify(await late.messages(payloads.length)), JSON.stringify(payloads))
  })

  t.test('a channel may be called whatever its limits allow', async t => {
    const { knows, connect, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: strangeNames })
    const reader = connect({ token: 'five', channels: strangeNames })
    t.match((await reader.next('ready')).data, { channels: strangeNames })
    for (const channel of strangeNames) {
      await publish({ channel, data: channel })
      t.strictSame((await reader.next('message')).data, { channel, data: channel })
    }
  })

  t.test('everybody gets everything in the order in which it was stored, whoever published it', async t => {
    const { knows, join, server } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'b'] })
    const readers = await Promise.all(
      [{}, { since: '0' }, { channels: ['a'] }].map(ask => join({ token: 'five', ...ask })),
    )
    const [batches, size] = [30, 10]
    const calls = Array.from({ length: batches }, async (_, batch) => {
      const body = Array.from({ length: size }, (_, index) => ({
        channel: index % 2 === 0 ? 'a' : 'b',
        data: batch * size + index,
      }))
      const { ids } = (await server.post('/publish', body)).body
      return (Array.isArray(ids) ? ids : []).map((id, index) => ({ id: String(id), ...body[index] }))
    })
    const stored = (await Promise.all(calls)).flat().sort((one, other) => place(one.id) - place(other.id))
    t.equal(stored.length, batches * size)
    const expected = [stored, stored, stored.filter(({ channel }) => channel === 'a')]
    for (const [index, reader] of readers.entries()) {
      for (const { id, data } of expected[index] ?? []) {
        const message = await reader.next('message')
        if (message.id !== id || Object(message.data).data !== data) t.strictSame(message, { id, data })
      }
      t.pass(`reader ${index} has everything`)
    }
  })

  t.test('what is live only reaches who is here, is not replayed, and leaves no gap', async t => {
    const { server, knows, join, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    const { cursor } = reader
    await connected(server, 1)
    await publish({ channel: 'a', data: 'now', ttl: 0 })
    t.strictSame(await reader.messages(1), ['now'])
    await publish({ channel: 'a', data: 'kept' })
    t.strictSame(await reader.messages(1), ['kept'])
    for (const since of [cursor ?? '', '0']) {
      const late = await join({ token: 'five', since })
      t.strictSame(await late.messages(1), ['kept'])
    }
  })
}

function place(id: string): number {
  return Number(id.split('-')[1])
}
