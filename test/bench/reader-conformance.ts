/** What every reader must do, the one in TypeScript and the one in C: what they see decides what is claimed about servers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { nowMicros } from '../../bench/load/clock.js'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { Histogram } from '../../bench/load/histogram.js'
import { LoadProcess, type LoadProgram } from '../../bench/machine/load-process.js'
import { cpuMicros } from '../../bench/machine/process-usage.js'
import {
  answering,
  arm,
  CHUNKED,
  collect,
  connect,
  FakeServer,
  HEAD,
  message,
  READY,
  type Reader,
  untilDelivered,
} from '../helpers/bench-reader.js'

/** What may go wrong between six messages, two sources with three each. The last one of a case is always one that counts. */
const CASES: Readonly<Record<string, { sent: (p: number) => string[]; delivered: number; faults: object }>> =
  {
    'everything once and in order': {
      sent: p => [
        message(p, 1, 1),
        message(p, 0, 1),
        message(p, 1, 2),
        message(p, 1, 3),
        message(p, 0, 2),
        message(p, 0, 3),
      ],
      delivered: 6,
      faults: {},
    },
    'some lost, in the middle and at the end': {
      sent: p => [message(p, 1, 1), message(p, 0, 1), message(p, 0, 3)],
      delivered: 3,
      faults: { lost: 3 },
    },
    'one twice, which hides no loss': {
      sent: p => [message(p, 0, 1), message(p, 0, 1), message(p, 0, 2), message(p, 1, 1)],
      delivered: 3,
      faults: { lost: 3, duplicated: 1 },
    },
    'one late, and once more': {
      sent: p => [
        message(p, 0, 3),
        message(p, 0, 1),
        message(p, 0, 1),
        message(p, 0, 2),
        ...[1, 2, 3].map(n => message(p, 1, n)),
      ],
      delivered: 6,
      faults: { disordered: 2, duplicated: 1 },
    },
    'ids that do not grow': {
      sent: p => [
        message(p, 0, 1, 100 * p + 9),
        message(p, 0, 2, 100 * p + 9),
        `event: heartbeat\nid: 1763762401234-${100 * p + 20}\ndata:\n\n`,
        message(p, 0, 3, 100 * p + 12),
        message(p, 1, 1),
        `id: 1763762401234-${100 * p + 90}\nretry: 100\n\n`,
        message(p, 1, 2, 100 * p + 21),
      ],
      delivered: 5,
      faults: { lost: 1, disordered: 2 },
    },
    'ids of another form, which say nothing about the order': {
      sent: p => [
        message(p, 0, 1).replace(/^/, 'id: 1763762401:9\n'),
        message(p, 0, 2).replace(/^/, 'id: 1763762402:-,[3],-\n'),
        message(p, 0, 3).replace(/^/, 'id: 1763762402:0\n'),
        message(p, 1, 1).replace(/^/, 'id: 1b9d6bcd-bbfd-4b2d-9b5d-999999999999\n'),
        message(p, 1, 2).replace(/^/, 'id: 1b9d6bcd-bbfd-4b2d-9b5d-000000000001\n'),
        message(p, 1, 3).replace(/^/, 'id: -3\n'),
      ],
      delivered: 6,
      faults: {},
    },
    'other phases, sources and numbers, and what is no stamp': {
      sent: p => [
        message(p - 1, 0, 1),
        message(p + 1, 0, 1),
        message(p, 2, 1),
        message(p, 0, 4),
        message(p, 0, 0),
        message(p, 0, 1).replace('.0000001.', '.000000x.'),
        message(p, 0, 1).replace(/\d"/, 'x"'),
        'data: ~00001.0001.0000001.0000\n\n',
        message(p, 0, 1),
      ],
      delivered: 1,
      faults: { lost: 5, duplicated: 8 },
    },
    'gaps, comments and unknown events': {
      sent: p => [
        'event: gap\ndata: {}\n\n',
        ': ~a comment\n\n',
        'event: presence\ndata: {"event":"online"}\n\n',
        'event:gap\n\n',
        'event: gaps\n\n',
        'retry: 5\n\n',
        message(p, 0, 1),
      ],
      delivered: 1,
      faults: { lost: 5, gaps: 2 },
    },
  }

/** Adds the tests of a reader. */
export function conform(t: Test, program: LoadProgram): void {
  t.test('it opens the streams that it is told, so many at a time', async t => {
    let waiting = 0
    let mostWaiting = 0
    const { server, report, reader } = await connect(t, program, {
      first: 30,
      count: 20,
      window: 4,
      request: { localAddress: '127.0.0.9' },
      async answer(stream) {
        mostWaiting = Math.max(mostWaiting, ++waiting)
        await sleep(5)
        waiting--
        stream.write(HEAD + READY)
      },
    })
    const { latency, firstMicros, lastMicros, ...rest } = report
    t.same(rest, { kind: 'connected', connected: 20, failed: 0 })
    t.equal(Histogram.sum([latency]).total, 20)
    t.ok(latency.minMicros > 4000 && latency.maxMicros <= lastMicros - firstMicros)
    t.ok(lastMicros - firstMicros >= 5 * 4000 && lastMicros <= nowMicros())
    t.equal(mostWaiting, 4)
    t.same(
      [...server.streams.keys()].sort(),
      Array.from({ length: 20 }, (_, index) => 30 + index),
    )
    t.match(server.requests[0], /^GET \/(\d+)\?again=\1 HTTP\/1.1\r\nHost: 127.0.0.1:\d+\r\n/)
    t.match(server.requests[0], /\r\nAccept: text\/event-stream\r\n(.+\r\n)*\r\n$/)
    t.equal(server.streams.get(30)?.remoteAddress, '127.0.0.9')
    t.match(await reader.next('progress'), { connected: 20, delivered: 0 })
  })

  t.test('a stream is open with its head, where a server says no more', async t => {
    const { report } = await connect(t, program, {
      count: 3,
      request: { ready: 'head' },
      answer: answering(HEAD),
    })
    t.equal(report.connected, 3)
  })

  const refusals = {
    'a status': ['HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 403 Forbidden'],
    'a status that is hard to quote': ['HTTP/1.1 500 "\\\u0001\r\n\r\n', /^HTTP\/1.1 500 /],
    'something that is not HTTP': ['SSH-2.0-server\r\n\r\n', 'SSH-2.0-server'],
    'a head without an end': ['x'.repeat(17_000), 'the head of the response has no end'],
    'a response that ends at once': [`${CHUNKED}0\r\n\r\n`, 'the server ended the response'],
    'a close event': [`${HEAD}event: close\ndata: {}\n\n`, 'the server said close'],
  } as const
  for (const [what, [text, failure]] of Object.entries(refusals)) {
    t.test(`who is answered with ${what} could not connect`, async t => {
      const { report } = await connect(t, program, { count: 3, window: 2, answer: answering(text) })
      t.match(report, { connected: 0, failed: 3, failure })
    })
  }

  t.test('who is cut off, or finds nobody, could not connect', async t => {
    const hangUp = (stream: net.Socket) => stream.end()
    t.match((await connect(t, program, { count: 2, answer: hangUp })).report, {
      failed: 2,
      failure: 'the server closed the connection',
    })
    const nobody = new FakeServer(() => {})
    const free = await nobody.listen()
    nobody.close()
    const { report } = await connect(t, program, { count: 2, request: { port: free }, answer() {} })
    t.match(report, { failed: 2, failure: /refused/i })
  })

  t.test('it gives up when a hundred have failed', async t => {
    const { report } = await connect(t, program, {
      count: 500,
      window: 10,
      answer: stream => stream.destroy(),
    })
    t.equal(report.connected, 0)
    t.ok(report.failed >= 100 && report.failed < 110)
  })

  t.test('faults are counted at every subscriber', async t => {
    const { reader, server } = await connect(t, program, { count: 3, answer: answering(HEAD + READY) })
    let phase = 0
    for (const [name, { sent, delivered, faults }] of Object.entries(CASES)) {
      phase++
      await arm(reader, [phase, 2, 3], phase % 2 === 0)
      const before = nowMicros()
      for (const stream of server.streams.values()) stream.write(sent(phase).join(''))
      await untilDelivered(reader, 3 * delivered)
      const { rest, latency, lastMicros } = await collect(reader)
      const all = Object.fromEntries(Object.entries(faults).map(([kind, count]) => [kind, 3 * count]))
      t.same(rest, { delivered: 3 * delivered, faults: { ...NO_FAULTS, ...all } }, name)
      t.equal(Histogram.sum([latency]).total, 3 * delivered)
      t.ok(lastMicros >= before && lastMicros <= nowMicros())
    }
  })

  t.test('what comes outside a phase came once too often, and is not forgotten', async t => {
    const { reader, server } = await connect(t, program, {
      count: 1,
      answer: answering(HEAD + READY + message(0, 0, 1) + message(1, 0, 1)),
    })
    await arm(reader, [1, 1, 2])
    server.streams.get(0)?.write(message(1, 0, 1))
    await untilDelivered(reader, 1)
    await arm(reader, [2, 1, 1])
    server.streams.get(0)?.write(`event: gap\n\n${message(1, 0, 2)}${message(2, 0, 1)}`)
    await untilDelivered(reader, 1)
    const first = await collect(reader)
    t.same(first.rest.faults, { ...NO_FAULTS, lost: 1, duplicated: 3, gaps: 1 })
    server.streams.get(0)?.end('event: gap\n\n')
    await once(server.streams.get(0) ?? t, 'close')
    await arm(reader, [3, 1, 1])
    t.match((await collect(reader)).rest, {
      delivered: 0,
      faults: { ...NO_FAULTS, lost: 1, gaps: 1, dropped: 1 },
    })
    t.same((await collect(reader)).rest, { delivered: 0, faults: NO_FAULTS })
  })

  t.test('where there are many channels, a subscriber is on five of them, and expects no others', async t => {
    const { reader, server } = await connect(t, program, {
      first: 499,
      count: 2,
      request: { path: '/{n}/{0}/{1}/{2}/{3}/{4}' },
      answer: answering(HEAD + READY),
    })
    const channels = { 499: [499, 100, 201, 302, 403], 500: [0, 101, 202, 303, 404] }
    const paths = server.requests.map(request => /GET (\S+)/.exec(request)?.[1]).sort()
    t.same(
      paths,
      Object.entries(channels).map(([number, all]) => `/${number}/${all.join('/')}`),
    )
    await arm(reader, [1, 500, 2], true, { isSpread: true })
    for (const [number, all] of Object.entries(channels)) {
      const stream = server.streams.get(Number(number))
      for (const channel of all) stream?.write(message(1, channel, 1))
      stream?.write(message(1, 250, 1))
      for (const channel of all.slice(1)) stream?.write(message(1, channel, 2))
    }
    await untilDelivered(reader, 18)
    t.same((await collect(reader)).rest, { delivered: 18, faults: { ...NO_FAULTS, lost: 2, duplicated: 2 } })
  })

  t.test('all that came is said to be there as soon as it is', async t => {
    const { reader, server } = await connect(t, program, { count: 5, answer: answering(HEAD + READY) })
    for (const polls of [true, false]) {
      await arm(reader, [1, 1, 2], polls)
      let isDone = false
      const done = reader.next('done').then(() => {
        isDone = true
      })
      for (const stream of server.streams.values()) stream.write(message(1, 0, 1))
      await untilDelivered(reader, 5)
      t.notOk(isDone)
      for (const stream of server.streams.values()) stream.write(message(1, 0, 2))
      await done
      t.same((await collect(reader)).rest.faults, NO_FAULTS)
    }
  })

  t.test('a stream may be cut anywhere', async t => {
    const opening = HEAD + READY
    const { reader, server, report } = await connect(t, program, {
      count: opening.length,
      async answer(stream, number) {
        stream.write(opening.slice(0, number))
        await sleep(100)
        stream.write(opening.slice(number))
      },
    })
    t.equal(report.connected, opening.length)
    const body = `${message(1, 0, 1, 9)}: a comment\n\n${message(1, 0, 2)}event: gap\n\n${message(1, 0, 3, 10)}`
    await arm(reader, [1, 1, 3])
    const done = reader.next('done')
    for (const [number, stream] of server.streams) {
      const cuts = [number, number * 3, number * 5].map(cut => cut % body.length).sort((a, b) => a - b)
      const pieces = [0, ...cuts].map((cut, index) => body.slice(cut, cuts[index]))
      void (async () => {
        for (const piece of pieces) {
          stream.write(piece)
          await sleep(30)
        }
      })()
    }
    await done
    const { rest } = await collect(reader)
    t.same(rest.faults, { ...NO_FAULTS, gaps: opening.length })
  })

  t.test('a chunked stream may be cut anywhere, in chunks and between them', async t => {
    const whole = READY + message(1, 0, 1, 9) + message(1, 0, 2)
    const chunk = (text: string) =>
      text === '' ? '' : `${text.length.toString(16).toUpperCase()};name=value\r\n${text}\r\n`
    const { reader, server } = await connect(t, program, {
      count: whole.length,
      request: { ready: 'head' },
      answer: answering(CHUNKED),
    })
    await arm(reader, [1, 1, 2])
    const done = reader.next('done')
    for (const [number, stream] of server.streams) {
      const bytes = chunk(whole.slice(0, number)) + chunk(whole.slice(number))
      const cut = (number * 7) % bytes.length
      stream.write(bytes.slice(0, cut))
      void sleep(50).then(() => stream.write(bytes.slice(cut)))
    }
    await done
    t.same((await collect(reader)).rest, {
      delivered: 2 * whole.length,
      faults: NO_FAULTS,
    })
    await arm(reader, [2, 1, 1])
    for (const stream of server.streams.values()) stream.write(`${chunk(message(2, 0, 1))}0\r\n\r\n`)
    await Promise.all([...server.streams.values()].map(stream => once(stream, 'close')))
    t.match((await collect(reader)).rest, {
      delivered: whole.length,
      faults: { ...NO_FAULTS, dropped: whole.length },
      ending: 'the server ended the response',
    })
  })

  t.test('frames that fill many reads are read', async t => {
    const { reader, server } = await connect(t, program, { count: 2, answer: answering(HEAD + READY) })
    await arm(reader, [1, 1, 4000])
    const done = reader.next('done')
    const filler = 'y'.repeat(700_000)
    for (const stream of server.streams.values()) {
      for (let n = 1; n <= 4000; n++) {
        stream.write(n === 2000 ? message(1, 0, n).replace('"x"', `"${filler}"`) : message(1, 0, n))
      }
    }
    await done
    t.same((await collect(reader)).rest, { delivered: 8000, faults: NO_FAULTS })
  })

  const endings = {
    'ended by the server': [(stream: net.Socket) => stream.end(), 'the server closed the connection'],
    'reset by the server': [(stream: net.Socket) => stream.resetAndDestroy(), /reset/i],
    'ended with a last word': [
      (stream: net.Socket) => stream.end('event: close\ndata: {"reason":"kick"}\n\n'),
      'the server said close',
    ],
  } as const
  for (const [what, [end, ending]] of Object.entries(endings)) {
    t.test(`a stream that is ${what} is dropped, and what it brought counts`, async t => {
      const { reader, server } = await connect(t, program, { count: 4, answer: answering(HEAD + READY) })
      await arm(reader, [1, 1, 1])
      const done = reader.next('done')
      for (const stream of server.streams.values()) stream.write(message(1, 0, 1))
      await done
      await Promise.all(
        [1, 2].map(async number => {
          const stream = server.streams.get(number)
          if (stream === undefined) return
          const closed = once(stream, 'close')
          end(stream)
          await closed
        }),
      )
      // A reset closes here at once; the reader hears of it a little later.
      await sleep(100)
      t.match((await collect(reader)).rest, {
        delivered: 4,
        faults: { ...NO_FAULTS, dropped: 2 },
        ending,
      })
    })
  }

  t.test('a message and the end of its stream may come at once', async t => {
    const { reader, server } = await connect(t, program, { count: 4, answer: answering(HEAD + READY) })
    await arm(reader, [1, 1, 1])
    const done = reader.next('done')
    const closed = [...server.streams.values()].map(stream => once(stream, 'close'))
    for (const stream of server.streams.values()) stream.end(message(1, 0, 1))
    await Promise.all([done, ...closed])
    t.match((await collect(reader)).rest, { delivered: 4, faults: { ...NO_FAULTS, dropped: 4 } })
  })

  t.test('latencies are counted in the buckets of the histogram, from stamp to read', async t => {
    const { reader, server } = await connect(t, program, { count: 1, answer: answering(HEAD + READY) })
    const ages = [-1e6, 0, 100, 200, 256, 300, 511, 512, 12_345, 1e6, 37e6, 2 ** 32 - 2 ** 31, 2 ** 33]
    for (const [index, age] of ages.entries()) {
      await arm(reader, [index + 1, 1, 1])
      const done = reader.next('done')
      const before = nowMicros()
      server.streams.get(0)?.write(message(index + 1, 0, 1, undefined, before - age))
      await done
      const { latency, lastMicros } = await collect(reader)
      const expected = new Histogram()
      expected.add(lastMicros - (before - age))
      t.same(latency, expected.toData(), `${age}`)
      t.ok(lastMicros >= before && lastMicros <= nowMicros())
    }
  })

  t.test('it polls while a phase runs, when it may, and looking in vain is not work', async t => {
    const { reader, server } = await connect(t, program, { count: 50, answer: answering(HEAD + READY) })
    const used = async (ms: number) => {
      const before = cpuMicros(reader.pids)
      await sleep(ms)
      return cpuMicros(reader.pids) - before
    }
    t.ok((await used(200)) < 50_000, 'it sleeps before')
    await arm(reader, [1, 1, 200])
    let polled = 0
    // On a busy machine it gets its turn when others let it.
    const deadline = Date.now() + 20_000
    while (polled <= 40_000 && Date.now() < deadline) polled += await used(400)
    t.ok(polled > 40_000, `it polls: ${polled}`)
    const { workedMicros } = await collect(reader)
    t.ok(workedMicros >= 0 && workedMicros < polled / 4, `${workedMicros} of ${polled}`)
    t.ok((await used(200)) < 50_000, 'it sleeps after')

    for (const polls of [true, false]) {
      await arm(reader, [2, 1, 2000], polls)
      const done = reader.next('done')
      const before = cpuMicros(reader.pids)
      for (let n = 1; n <= 2000; n++)
        for (const stream of server.streams.values()) stream.write(message(2, 0, n))
      await done
      const most = cpuMicros(reader.pids) - before
      const worked = (await collect(reader)).workedMicros
      t.ok(worked > 5000 && worked < most + 50_000, `${worked} of ${most}`)
    }
  })

  t.test('it ends, and its connections with it, when it is told to, or has no parent any more', async t => {
    const { reader, server } = await connect(t, program, { count: 2, answer: answering(HEAD + READY) })
    const errors = [...server.streams.values()].map(stream => once(stream, 'error'))
    await reader.leave({ kind: 'leave' })
    for (const [error] of await Promise.all(errors)) t.equal(error.code, 'ECONNRESET')

    const orphan =
      program.kind === 'native'
        ? spawn(program.path, { stdio: ['pipe', 'pipe', 'inherit'] })
        : spawn(process.execPath, [program.path], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    if (program.kind === 'native') orphan.stdin?.end()
    else once(orphan, 'message').then(() => orphan.disconnect())
    t.same(await once(orphan, 'exit'), [1, null])
  })

  t.test('a command that it does not know ends it', async t => {
    const plan = { phase: 1, sources: 1, messages: 1, isSpread: false, hasCrash: false }
    const request = { kind: 'stream', host: '127.0.0.1', port: 1, path: '/', ready: 'event' }
    const unknown = [{ kind: 'dance' }, {}, ...(program.kind === 'native' ? [] : [{ kind: 'cut' }])]
    // The native one has no parser of JSON: whatever differs from the form that it expects is refused, not misread.
    const unexpected = [
      { plan, kind: 'arm', polls: true },
      { kind: 'arm', plan, polls: 'yes' },
      { kind: 'arm', plan: { ...plan, phase: -1 }, polls: true },
      { kind: 'arm', plan: { ...plan, more: 1 }, polls: true },
      { kind: 'arm', plan, polls: true, more: 1 },
      { kind: 'arm', plan: { ...plan, hasCrash: 1 }, polls: true },
      { kind: 'return', spreadMs: -1 },
      { kind: 'return', spreadMs: 1, more: 1 },
      { kind: 'cut', more: 1 },
      { kind: 'connect', first: 0, count: 1, window: 1, request: { ...request, kind: 'dance' } },
      { kind: 'connect', first: 0, count: 1, window: 0, request },
      { kind: 'connect', first: 0, count: 1, window: 1, request: { ...request, host: 'example.org' } },
      { kind: 'connect', first: 0, count: 1, window: 1, request: { ...request, path: '/"' } },
      { kind: 'connect', first: 0, count: 1, window: 1, request: { ...request, ready: 'soon' } },
      { kind: 'connect', first: 0, count: 1, window: 1, request: { ...request, more: 1 } },
      { kind: 'collect', more: 'x'.repeat(20_000) },
    ]
    for (const command of program.kind === 'native' ? [...unknown, ...unexpected] : unknown) {
      const reader: Reader = new LoadProcess('the reader', program, undefined)
      await reader.next('up')
      const answer = reader.next('armed')
      reader.send(command)
      await t.rejects(
        answer,
        { message: /^the reader ended \(exit code 1\)/ },
        JSON.stringify(command).slice(0, 80),
      )
    }
  })
}
