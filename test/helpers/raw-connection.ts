import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { deadlineMs, type ReaderEvent } from './reader.js'
import { SseFrames } from './sse-frames.js'

/** A connection on which tests write what no HTTP library would. */
export class RawConnection {
  readonly socket: Socket
  /** Resolves when the connection is there. */
  readonly opened: Promise<void>
  /** Resolves when the connection is over, whichever side ended it. */
  readonly closed: Promise<void>
  #received = Buffer.alloc(0)
  #look = () => {}

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.socket = connect({ host: hostname, port: Number(port) })
    this.opened = new Promise(resolve => {
      this.socket.once('connect', resolve)
    })
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#look()
    })
    // A connection that is cut is what many tests are about.
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      this.socket.once('close', () => {
        resolve()
        this.#look()
      })
    })
  }

  /** All that came, as text. */
  get received(): string {
    return this.#received.toString('utf8')
  }

  write(...lines: string[]): void {
    this.socket.write(lines.join('\r\n'))
  }

  /** A request without a body. */
  get(path: string, ...headers: string[]): void {
    this.write(`GET ${path} HTTP/1.1`, 'Host: downpipe.test', ...headers, '', '')
  }

  /** Waits until what came matches; rejects when the connection ends before, or too late. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        reject(new Error(`${pattern} did not come: ${why}; this came: ${this.received.slice(-1_000)}`))
      }
      const late = setTimeout(() => fail('too late'), deadlineMs)
      this.#look = () => {
        if (!pattern.test(this.received) && !this.socket.destroyed) return
        clearTimeout(late)
        if (pattern.test(this.received)) resolve(this.received)
        else fail('the connection ended')
      }
      this.#look()
    })
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/**
 * The events of a stream that came as plain bytes, but for heartbeats, of which the first may come at any time. Throws when anything but
 * whole frames stands behind the head.
 */
export function streamEvents(received: string): ReaderEvent[] {
  const events: ReaderEvent[] = []
  const frames = new SseFrames(event => events.push(event))
  frames.push(Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4)))
  if (!frames.isWhole) throw new Error(`not only frames: ${received.slice(-500)}`)
  return events.filter(({ event }) => event !== 'heartbeat')
}

/** A connection to a server, which ends with the test. */
export function openConnection(t: Test, { url }: { readonly url: string }): RawConnection {
  const connection = new RawConnection(url)
  t.teardown(() => connection.destroy())
  return connection
}
