import net from 'node:net'
import { ChunkedBody } from './chunked-body.js'
import { nowMicros } from './clock.js'
import { type FrameReceiver, scanFrames } from './frame-scanner.js'
import type { StreamRequest } from './protocol.js'
import { spreadChannels } from './spread.js'

/** What a subscriber tells the process that holds it. */
export interface SubscriberEvents {
  /** Bytes have come. */
  read(): void
  /** The stream is open: the server says `ready`, or whatever stands for it. Once, and not after `ended`. */
  ready(subscriber: Subscriber): void
  /**
   * A message of the bench.
   *
   * @param at where in `bytes` its stamp is; the bytes change after the call
   * @param readMicros when the read that brought it (or its end) returned
   * @param idGrew false if its event id is not larger than the one before; true if the server gives no ids
   */
  message(subscriber: Subscriber, bytes: Uint8Array, at: number, readMicros: number, idGrew: boolean): void
  /** The server says that something may be missing. */
  gap(subscriber: Subscriber): void
  /** The connection is over; if it never was `ready`, it was refused. Once. */
  ended(subscriber: Subscriber, wasOpen: boolean, why: string): void
}

/** One buffer for all sockets of the process: a read is used up before the next one starts. */
const readBuffer = new Uint8Array(256 * 1024)

/** The longest head of a response that is waited for, so that a server that is none cannot fill the memory. */
const LONGEST_HEAD = 16 * 1024

/** One open stream, read from a plain socket. */
export class Subscriber implements FrameReceiver {
  /** Its place among the subscribers of its process. */
  readonly index: number
  readonly #request: StreamRequest
  readonly #events: SubscriberEvents
  readonly #socket: net.Socket
  #state: 'head' | 'opening' | 'open' | 'over' = 'head'
  #head = ''
  #chunks: ChunkedBody | undefined
  #tail: Buffer | undefined
  #lastId = -1
  #readMicros = 0

  /**
   * Connects at once.
   *
   * @param number distinguishes this subscriber from all others of the run
   */
  constructor(index: number, number: number, request: StreamRequest, events: SubscriberEvents) {
    this.index = index
    this.#request = request
    this.#events = events
    const read = (length: number, bytes: Uint8Array): boolean => {
      this.#read(bytes, length)
      return true
    }
    this.#socket = net.connect({
      host: request.host,
      port: request.port,
      ...(request.localAddress === undefined ? {} : { localAddress: request.localAddress }),
      onread: { buffer: readBuffer, callback: read },
    })
    this.#socket.on('error', error => this.#end(error.message))
    this.#socket.on('close', () => this.#end('the server closed the connection'))
    this.#socket.write(
      `GET ${pathOf(request, number)} HTTP/1.1\r\n` +
        `Host: ${request.host}:${request.port}\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n`,
    )
  }

  /** Resets the connection, if it is still there, without a word to the events. */
  leave(): void {
    this.#state = 'over'
    this.#socket.resetAndDestroy()
  }

  message(bytes: Uint8Array, at: number, id: number): void {
    const grew = Number.isNaN(id) || id > this.#lastId
    if (id > this.#lastId) this.#lastId = id
    this.#events.message(this, bytes, at, this.#readMicros, grew)
  }

  event(name: string, id: number): void {
    if (id > this.#lastId) this.#lastId = id
    if (name === 'ready') this.#open()
    else if (name === 'gap') this.#events.gap(this)
    else if (name === 'close') this.#end('the server said close')
  }

  #read(bytes: Uint8Array, length: number): void {
    this.#readMicros = nowMicros()
    this.#events.read()
    if (this.#state === 'head') this.#readHead(bytes, length)
    else if (this.#state !== 'over') this.#readBody(bytes, 0, length)
  }

  #readHead(bytes: Uint8Array, length: number): void {
    const before = this.#head.length
    this.#head += Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#head.length > LONGEST_HEAD) this.#end('the head of the response has no end')
      return
    }
    const head = this.#head.slice(0, end)
    this.#head = ''
    if (!/^HTTP\/1\.[01] 200 /.test(head)) {
      this.#end(head.split('\r', 1).join())
      return
    }
    if (/^transfer-encoding: *chunked/im.test(head)) this.#chunks = new ChunkedBody()
    this.#state = 'opening'
    if (this.#request.ready === 'head') this.#open()
    this.#readBody(bytes, end + 4 - before, length)
  }

  #readBody(bytes: Uint8Array, from: number, to: number): void {
    if (this.#chunks === undefined) this.#scan(bytes, from, to)
    else {
      this.#chunks.feed(bytes, from, to, this.#scan)
      if (this.#chunks.ended) this.#end('the server ended the response')
    }
  }

  readonly #scan = (bytes: Uint8Array, from: number, to: number): void => {
    const tail = this.#tail
    if (tail === undefined) {
      const end = scanFrames(bytes, from, to, this)
      if (end < to) this.#tail = Buffer.from(bytes.subarray(end, to))
      return
    }
    const joined = Buffer.concat([tail, bytes.subarray(from, to)])
    const end = scanFrames(joined, 0, joined.length, this)
    this.#tail = end < joined.length ? joined.subarray(end) : undefined
  }

  #open(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#events.ready(this)
  }

  #end(why: string): void {
    if (this.#state === 'over') return
    const wasOpen = this.#state === 'open'
    this.#state = 'over'
    this.#socket.destroy()
    this.#events.ended(this, wasOpen, why)
  }
}

function pathOf({ path }: StreamRequest, number: number): string {
  const channels = spreadChannels(number)
  return path.replace(/\{([n0-4])\}/g, (_, name) => String(name === 'n' ? number : channels[name]))
}
