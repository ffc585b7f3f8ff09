import type { Readable } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { EventStream, type StreamEvent } from '../client/node/event-stream.js'
import { type Answer, type Ask, ask, maxEventLength } from '../remote/ask.js'
import type { Target } from '../remote/target.js'

/** An event, and when it came. */
export interface SeenEvent extends StreamEvent {
  /** Milliseconds since the request. */
  readonly atMs: number
}

/** An open stream, and all that came over it, with times. It is opened once and never again. */
export class StreamWatch {
  readonly events: SeenEvent[] = []
  /** The head of the answer, once it is there. */
  head: Answer | undefined
  /** What was answered in place of a stream. */
  refusal: string | undefined
  /** Milliseconds since the request, when it ended. */
  endMs: number | undefined
  /** Milliseconds since the request, when something came last. */
  lastMs = 0
  readonly #beginMs = performance.now()
  readonly #ending = new AbortController()
  #look = () => {}

  /** `call.timeoutMs`: how long a head is waited for, however long the stream is watched. */
  constructor(target: Target, call: Ask) {
    this.#read(target, call).then(
      () => this.#end(),
      () => this.#end(),
    )
  }

  get nowMs(): number {
    return performance.now() - this.#beginMs
  }

  /** The first event of the name. */
  first(event: string): SeenEvent | undefined {
    return this.events.find(seen => seen.type === event)
  }

  /** Waits until it is so, the stream has ended, or the time is over; tells whether it is so. */
  async until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    const endMs = this.nowMs + timeoutMs
    while (!isSo() && this.endMs === undefined) {
      const leftMs = endMs - this.nowMs
      if (leftMs <= 0) break
      await new Promise<void>(resolve => {
        const late = setTimeout(resolve, leftMs)
        this.#look = () => {
          clearTimeout(late)
          resolve()
        }
      })
    }
    return isSo()
  }

  close(): void {
    this.#ending.abort()
  }

  async #read(target: Target, call: Ask): Promise<void> {
    const head = await ask(target, { ...call, signal: this.#ending.signal })
    this.head = head
    this.lastMs = this.nowMs
    this.#look()
    if (head.status !== 200) {
      let text = ''
      for await (const chunk of decoded(head)) text = (text + String(chunk)).slice(0, 100_000)
      this.refusal = text
      return
    }
    const stream = new EventStream(event => this.events.push({ ...event, atMs: this.nowMs }), maxEventLength)
    for await (const chunk of decoded(head)) {
      this.lastMs = this.nowMs
      stream.push(chunk)
      this.#look()
    }
  }

  #end(): void {
    this.endMs = this.nowMs
    this.#look()
  }
}

/** The body as it was before somebody compressed it on its way. */
function decoded({ message, header }: Answer): Readable {
  const flush = constants.Z_SYNC_FLUSH
  switch (header('content-encoding')) {
    case 'gzip':
      return joined(message, createGunzip({ flush }))
    case 'deflate':
      return joined(message, createInflate({ flush }))
    case 'br':
      return joined(message, createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH }))
    default:
      return message
  }
}

function joined(message: Readable, decoder: NodeJS.ReadWriteStream & Readable): Readable {
  message.once('close', () => decoder.destroy())
  message.pipe(decoder)
  return decoder
}
