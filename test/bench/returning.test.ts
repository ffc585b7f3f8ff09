/** What only the native reader does: long-polling, and going away to return. */
import type net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { killAllChildren } from '../../bench/machine/child.js'
import { compilePrograms } from '../../bench/machine/programs.js'
import {
  arm,
  collect,
  connect,
  type FakeServer,
  HEAD,
  message,
  READY,
  type Reader,
  untilDelivered,
} from '../helpers/bench-reader.js'

t.teardown(killAllChildren)
const { nativeMissing, reader: program } = compilePrograms()
const native = { skip: nativeMissing ?? false }

const READY_PART = '"ready":{"uid":"5","v":"a1"}'

/** A poll's answer, whole. */
function answer(cursor: string, messages: readonly string[], rest = ''): string {
  const body = `{"cursor":"${cursor}","messages":[${messages.join(',')}]${rest === '' ? '' : `,${rest}`}}`
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** The JSON of a message with an id and a stamp. */
function pollMessage(id: number, ...[phase, source, sequence]: readonly number[]): string {
  const json = /data: (.+)\n/.exec(message(phase ?? 0, source ?? 0, sequence ?? 0))?.[1] ?? ''
  return `{"id":"1763762401234-${id}",${json.slice(1)}`
}

const polling = { kind: 'poll', path: '/{n}?since={since}&v={v}' }

/** What each request asked for after its path, in order. */
const queries = (server: FakeServer) => server.requests.map(request => /^GET \/\d+\?(\S+)/.exec(request)?.[1])

/** Waits until so many requests have come. */
async function untilAsked(server: FakeServer, count: number): Promise<void> {
  while (server.requests.length < count) await sleep(5)
}

async function returnAll(reader: Reader, spreadMs: number) {
  const returned = reader.next('returned')
  reader.send({ kind: 'return', spreadMs })
  return returned
}

async function cut(reader: Reader): Promise<void> {
  const away = reader.next('away')
  reader.send({ kind: 'cut' })
  await away
}

t.test('a poller asks again with the cursor and the version that it was given', native, async t => {
  const { reader, server, report } = await connect(t, program, {
    count: 1,
    request: polling,
    answer(stream, _number, nth) {
      if (nth === 1) stream.write(answer('1763762400000-7', [], READY_PART))
    },
  })
  t.match(report, { connected: 1, failed: 0 })
  await untilAsked(server, 2)
  await arm(reader, [1, 1, 3])
  const done = reader.next('done')
  const both = answer('1763762401234-9', [pollMessage(8, 1, 0, 1), pollMessage(9, 1, 0, 2)])
  // Cut anywhere, it is still one answer.
  for (const piece of [both.slice(0, 60), both.slice(60, 200), both.slice(200)]) {
    server.streams.get(0)?.write(piece)
    await sleep(20)
  }
  await untilAsked(server, 3)
  server.streams.get(0)?.write(answer('1763762401234-9', []))
  await untilAsked(server, 4)
  server.streams.get(0)?.write(answer('1763762401234-12', [pollMessage(12, 1, 0, 3)]))
  await done
  await untilAsked(server, 5)
  t.same(queries(server), [
    'since=&v=',
    'since=1763762400000-7&v=a1',
    'since=1763762401234-9&v=a1',
    'since=1763762401234-9&v=a1',
    'since=1763762401234-12&v=a1',
  ])
  const { rest, answers } = await collect(reader)
  t.same(rest, { delivered: 3, faults: NO_FAULTS })
  t.equal(answers, 2, 'an answer without messages is none')
})

t.test('what is wrong with the answers of a poll is found out', native, async t => {
  const cases: Readonly<Record<string, readonly [text: string, expected: object]>> = {
    'a message that is lost': [answer('1-9', [pollMessage(8, 1, 0, 1)]), { lost: 1 }],
    'one that comes twice': [
      answer('1-9', [pollMessage(8, 1, 0, 1), pollMessage(9, 1, 0, 1), pollMessage(10, 1, 0, 2)]),
      { duplicated: 1 },
    ],
    'ids that do not grow': [
      answer('1-9', [pollMessage(8, 1, 0, 1), pollMessage(8, 1, 0, 2)]),
      { disordered: 1 },
    ],
    'a gap': [
      answer('1-9', [pollMessage(8, 1, 0, 1), pollMessage(9, 1, 0, 2)], '"gap":{"since":"1-1"}'),
      { gaps: 1 },
    ],
    'a close': [
      answer('1-9', [pollMessage(8, 1, 0, 1), pollMessage(9, 1, 0, 2)], '"close":{"reason":"kick"}'),
      { dropped: 1 },
    ],
    'a refusal': ['HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n', { dropped: 1, lost: 2 }],
    'an answer without a length': ['HTTP/1.1 200 OK\r\n\r\n{', { dropped: 1, lost: 2 }],
  }
  for (const [name, [text, expected]] of Object.entries(cases)) {
    const { reader, server } = await connect(t, program, {
      count: 1,
      request: polling,
      answer(stream, _number, nth) {
        if (nth === 1) stream.write(answer('1763762400000-7', [], READY_PART))
      },
    })
    await untilAsked(server, 2)
    await arm(reader, [1, 1, 2])
    server.streams.get(0)?.write(text)
    // Either the answer is used up, and the next poll comes, or the connection ends.
    const isOver = 'dropped' in expected
    if (isOver) await new Promise(resolve => server.streams.get(0)?.once('close', resolve))
    else await untilAsked(server, 3)
    t.same((await collect(reader)).rest.faults, { ...NO_FAULTS, ...expected }, name)
  }
})

t.test('who was cut off returns with the last id, and gets what was missed', native, async t => {
  const opening = HEAD + READY.replace('-7', '-3')
  const missed = [message(1, 0, 2, 21), message(1, 0, 3, 22)].join('')
  const { reader, server } = await connect(t, program, {
    count: 20,
    answer(stream, _number, nth) {
      stream.write(nth > 20 ? opening + missed : HEAD + READY)
    },
  })
  await arm(reader, [1, 1, 3])
  for (const stream of server.streams.values()) stream.write(message(1, 0, 1, 20))
  await untilDelivered(reader, 20)
  const resets = [...server.streams.values()].map(
    stream => new Promise(resolve => stream.once('error', resolve)),
  )
  await cut(reader)
  for (const error of await Promise.all(resets)) t.match(error, { code: 'ECONNRESET' })
  t.notMatch(server.requests.join(), /last-event-id/i)
  const done = reader.next('done')
  const returned = await returnAll(reader, 200)
  t.match(returned, { connected: 20, failed: 0, turnedAway: 0 })
  t.ok(returned.lastMicros - returned.firstMicros > 100_000, 'each at a time of its own')
  await done
  t.ok(
    server.requests.slice(20).every(request => request.includes('\r\nLast-Event-ID: 1763762401234-20\r\n')),
  )
  t.same((await collect(reader)).rest, { delivered: 60, faults: NO_FAULTS })
})

t.test('who is turned away comes again when it was told to, and who is refused does not', native, async t => {
  const busy = `${HEAD}retry: 150\n\nevent: close\ndata: {"reason":"busy"}\n\n`
  const refused = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'
  const times: number[] = []
  const { reader } = await connect(t, program, {
    count: 2,
    answer(stream, number) {
      times.push(performance.now())
      if (times.length <= 2 || (number === 0 && times.length > 4)) stream.write(HEAD + READY)
      else stream.end(number === 0 ? busy : refused)
    },
  })
  await cut(reader)
  const returned = await returnAll(reader, 0)
  t.match(returned, { connected: 1, failed: 1, turnedAway: 1, failure: 'HTTP/1.1 403 Forbidden' })
  const after = (times[4] ?? 0) - (times[2] ?? 0)
  t.ok(after >= 140 && after < 1000, `when it was told to: ${after}`)
  t.same((await collect(reader)).rest, { delivered: 0, faults: NO_FAULTS })
})

t.test(
  'a server that is killed takes all along, and a gap makes up for what is missed then',
  native,
  async t => {
    const gap = 'event: gap\nid: 1763762400000-50\ndata: {"reason":"old"}\n\n'
    let answering: (stream: net.Socket, number: number) => void = stream => stream.write(HEAD + READY)
    const { reader, server } = await connect(t, program, {
      count: 3,
      answer: (stream, number) => answering(stream, number),
    })
    await arm(reader, [1, 1, 4], true, { hasCrash: true })
    server.streams.get(0)?.write(message(1, 0, 2, 20))
    await untilDelivered(reader, 1)
    const away = reader.next('away')
    for (const stream of server.streams.values()) stream.resetAndDestroy()
    await away
    // The first is told of a gap, the second gets everything, and the third neither.
    const all = [1, 2, 3, 4].map(sequence => message(1, 0, sequence, 30 + sequence)).join('')
    answering = (stream, number) => stream.write(HEAD + READY + ([gap, all, ''][number] ?? ''))
    t.match(await returnAll(reader, 0), { connected: 3 })
    await untilDelivered(reader, 5)
    const { rest, excused, gapped } = await collect(reader)
    t.same({ excused, gapped }, { excused: 3, gapped: 1 })
    t.same(rest, { delivered: 5, faults: { ...NO_FAULTS, lost: 4 } })
    // Once: what ends or gaps now is a fault.
    await arm(reader, [2, 1, 1])
    server.streams.get(0)?.write(gap)
    server.streams.get(1)?.end()
    await new Promise(resolve => server.streams.get(1)?.once('close', resolve))
    for (const number of [0, 2]) server.streams.get(number)?.write(message(2, 0, 1))
    await untilDelivered(reader, 2)
    t.match((await collect(reader)).rest.faults, { gaps: 1, dropped: 1, lost: 1 })
  },
)
