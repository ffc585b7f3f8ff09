/** A reader of the bench, and a server that says to it what a test wants. */
import { once } from 'node:events'
import net from 'node:net'
import type { Test } from 'tap'
import { nowMicros } from '../../bench/load/clock.js'
import type { ReaderReport } from '../../bench/load/protocol.js'
import { writeStamp } from '../../bench/load/stamp.js'
import { LoadProcess, type LoadProgram } from '../../bench/machine/load-process.js'

/** A reader process. */
export type Reader = LoadProcess<object, ReaderReport>

/** The head of a response that is a stream. */
export const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'
/** The same, in chunks. */
export const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-Encoding: Chunked\r\n\r\n'
/** What says that a stream is open. */
export const READY = 'event: ready\nid: 1763762400000-7\ndata: {"uid":"5"}\n\n'

/** Answers the nth request, from 1, with what `answer` says, and keeps its socket, by the number in its path. */
export class FakeServer {
  readonly streams = new Map<number, net.Socket>()
  readonly requests: string[] = []
  readonly #server: net.Server

  constructor(answer: (stream: net.Socket, number: number, nth: number) => void) {
    this.#server = net.createServer({ noDelay: true }, stream => {
      stream.on('error', () => {})
      stream.on('data', request => {
        const number = Number(/^GET \/(\d+)/.exec(request.toString())?.[1])
        this.requests.push(request.toString())
        this.streams.set(number, stream)
        answer(stream, number, this.requests.length)
      })
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  close(): void {
    for (const stream of this.streams.values()) stream.destroy()
    this.#server.close()
  }
}

/** What is to be connected. */
export interface Connecting {
  readonly count: number
  readonly first?: number
  readonly window?: number
  readonly request?: object
  readonly answer: (stream: net.Socket, number: number, nth: number) => void
}

/** A reader whose streams are connected to a fake server, as far as that lets them. */
export async function connect(t: Test, program: LoadProgram, connecting: Connecting) {
  const { count, first = 0, window = count, request, answer } = connecting
  const server = new FakeServer(answer)
  const port = await server.listen()
  const reader: Reader = new LoadProcess('the reader', program, undefined)
  t.teardown(async () => {
    await reader.leave({ kind: 'leave' })
    server.close()
  })
  await reader.next('up')
  const report = reader.next('connected')
  const to = { kind: 'stream', host: '127.0.0.1', port, path: '/{n}?again={n}', ready: 'event', ...request }
  reader.send({ kind: 'connect', first, count, window, request: to })
  return { reader, server, report: await report }
}

/** Answers each request with the same. */
export const answering = (text: string) => (stream: net.Socket) => {
  stream.write(text)
}

/** Begins a phase with so many sources and messages of each. */
export async function arm(
  reader: Reader,
  [phase, sources, messages]: readonly number[],
  polls = true,
  { isSpread = false, hasCrash = false } = {},
) {
  const armed = reader.next('armed')
  reader.send({ kind: 'arm', plan: { phase, sources, messages, isSpread, hasCrash }, polls })
  await armed
}

/** Ends a phase. */
export async function collect(reader: Reader) {
  const collected = reader.next('collected')
  reader.send({ kind: 'collect' })
  const { kind, workedMicros, latency, lastMicros, excused, gapped, answers, ...rest } = await collected
  return { rest, workedMicros, latency, lastMicros, excused, gapped, answers }
}

/** Resolves when the reader says that so much has come. */
export async function untilDelivered(reader: Reader, count: number): Promise<void> {
  for (;;) if ((await reader.next('progress')).delivered >= count) return
}

/** A frame with a stamp, and an id if one is given. */
export function message(
  phase: number,
  source: number,
  sequence: number,
  id?: number,
  micros = nowMicros(),
): string {
  const line = id === undefined ? '' : `id: 1763762401234-${id}\n`
  return `${line}data: {"channel":"s0","data":{"stamp":"${writeStamp({ phase, source, sequence, micros })}","text":"x"}}\n\n`
}
