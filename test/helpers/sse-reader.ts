import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import {
  type Ask,
  deadlineMs,
  EventQueue,
  type Reader,
  type ReaderEvent,
  subscriptionHeaders,
  subscriptionPath,
} from './reader.js'
import { SseFrames } from './sse-frames.js'

/** A subscriber on `GET /v1/stream`. It does not come back by itself. */
export class SseReader implements Reader {
  /** Resolves with the answer's head; rejects when it does not come in time. */
  readonly head: Promise<IncomingMessage>
  readonly #queue = new EventQueue()
  readonly #frames = new SseFrames(event => this.#queue.push(event))
  readonly #request: ClientRequest

  constructor(url: string, ask: Ask = {}) {
    const agent = new Agent({ keepAlive: false })
    this.#request = request(`${url}${subscriptionPath('stream', ask)}`, {
      agent,
      headers: subscriptionHeaders(ask),
    })
    this.head = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no head came in time')), deadlineMs)
      const settled = () => clearTimeout(late)
      this.#request.once('response', resolve).once('response', settled)
      this.#request.once('error', reject).once('error', settled)
    })
    // Who waits for an event learns of it there.
    this.head.catch(() => {})
    this.#request.on('response', response => this.#read(response))
    this.#request.on('error', () => this.#end())
    this.#request.end()
  }

  get cursor(): string | undefined {
    return this.#queue.cursor
  }

  /** Milliseconds of the `retry` field. */
  get retryMs(): number | undefined {
    return this.#frames.retryMs
  }

  /** The connection, to do to it what no client should. */
  get socket(): Socket | null {
    return this.#request.socket
  }

  next(event?: string): Promise<ReaderEvent> {
    return this.#queue.next(event)
  }

  messages(count: number): Promise<unknown[]> {
    return this.#queue.messages(count)
  }

  close(): void {
    this.#request.destroy()
  }

  #read(response: IncomingMessage): void {
    if (response.statusCode !== 200) {
      this.#refused(response)
      return
    }
    response.on('data', (chunk: Buffer) => {
      try {
        this.#frames.push(chunk)
      } catch (error) {
        this.#queue.fail(error instanceof Error ? error : new Error(String(error)))
      }
    })
    response.once('close', () => this.#end())
    response.on('error', () => {})
  }

  #refused(response: IncomingMessage): void {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
    })
    response.once('end', () => {
      const data = { status: response.statusCode, headers: response.headers, body: JSON.parse(text) }
      this.#queue.push({ event: 'refused', id: undefined, data })
    })
  }

  #end(): void {
    if (!this.#frames.isWhole) this.#queue.fail(new Error('the stream ended within a frame'))
    this.#queue.push({ event: 'end', id: undefined, data: undefined })
  }
}
