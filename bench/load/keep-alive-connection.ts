import net from 'node:net'

/** What a request was answered. */
export interface Answer {
  readonly status: number
  readonly body: string
}

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/**
 * One HTTP/1.1 connection that is kept open and carries one request at a time.
 *
 * `node:http` would take a good part of the core that the load runs on. What is read here is what API servers answer: a
 * head and a body of `Content-Length`.
 */
export class KeepAliveConnection {
  readonly #host: string
  readonly #socket: net.Socket
  #received: Buffer = Buffer.alloc(0)
  #waiting: Waiting | undefined

  constructor(host: string, port: number) {
    this.#host = `${host}:${port}`
    this.#socket = net.connect({ host, port, noDelay: true })
    this.#socket.on('data', bytes => this.#read(bytes))
    this.#socket.on('error', error => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** Whether a request can still be sent. */
  get isOpen(): boolean {
    return this.#socket.writable
  }

  /**
   * Sends a POST and waits for its answer, whatever its status.
   *
   * @throws Error if the connection ends first, or if the answer is not of the kind that is read here
   */
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answer> {
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(
        `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${fields.join('')}` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    })
  }

  /** Ends the connection; a request under way fails. */
  close(): void {
    this.#socket.resetAndDestroy()
  }

  #read(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
    const length = status === 204 ? 0 : Number(/\ncontent-length: *(\d+)/i.exec(head)?.[1])
    if (Number.isNaN(status) || Number.isNaN(length)) {
      this.#fail(new Error('an answer without a status or a length'))
      this.close()
      return
    }
    const end = headEnd + 4 + length
    if (this.#received.length < end) return
    const body = this.#received.toString('utf8', headEnd + 4, end)
    this.#received = this.#received.subarray(end)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status, body })
  }

  #fail(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(error)
  }
}
