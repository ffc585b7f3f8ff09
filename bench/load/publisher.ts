/** The program of the process that publishes. It is also the CMS that the servers ask about tokens. */
import { startAuthServer } from './auth-server.js'
import { nowMicros } from './clock.js'
import { Histogram } from './histogram.js'
import { KeepAliveConnection } from './keep-alive-connection.js'
import { Parent } from './parent.js'
import type { PublishCommand, PublisherCommand, PublisherReport, PublishRequest } from './protocol.js'
import { STAMP_PLACEHOLDER, writeStamp } from './stamp.js'

/** One a source, kept from phase to phase: a lone broadcast does not wait for a handshake. */
const connections: KeepAliveConnection[] = []

/** Publishes what one command asks for, and counts. */
class Publication {
  readonly #command: PublishCommand
  readonly #latency = new Histogram()
  #accepted = 0
  #refused = 0
  #refusal: string | undefined
  #firstMicros = Number.POSITIVE_INFINITY

  constructor(command: PublishCommand) {
    this.#command = command
  }

  async run(): Promise<PublisherReport> {
    await Promise.all(this.#command.sources.map((request, source) => this.#runSource(request, source)))
    return {
      kind: 'published',
      accepted: this.#accepted,
      refused: this.#refused,
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
      firstMicros: this.#firstMicros,
      latency: this.#latency.toData(),
    }
  }

  async #runSource(request: PublishRequest, source: number): Promise<void> {
    for (let sequence = 1; sequence <= this.#command.messages; sequence++) {
      try {
        await this.#send(request, source, sequence)
        this.#accepted++
      } catch (error) {
        this.#refused++
        this.#refusal ??= String(error)
      }
    }
  }

  async #send(request: PublishRequest, source: number, sequence: number): Promise<void> {
    const connection = connectionOf(source, this.#command)
    const micros = nowMicros()
    this.#firstMicros = Math.min(this.#firstMicros, micros)
    const stamp = writeStamp({ phase: this.#command.phase, source, sequence, micros })
    const answer = await connection.post(
      request.path,
      request.headers,
      request.body.replace(STAMP_PLACEHOLDER, stamp),
    )
    if (answer.status < 200 || answer.status > 299) throw new Error(`${answer.status} ${answer.body}`)
    this.#latency.add(nowMicros() - micros)
  }
}

function connectionOf(source: number, { host, port }: PublishCommand): KeepAliveConnection {
  const existing = connections[source]
  if (existing?.isOpen) return existing
  const connection = new KeepAliveConnection(host, port)
  connections[source] = connection
  return connection
}

const parent = new Parent<PublisherCommand, PublisherReport>(['publish', 'leave'], command => {
  if (command.kind === 'leave') {
    for (const connection of connections) connection.close()
    setTimeout(() => process.exit(0), 100)
    return
  }
  void new Publication(command).run().then(report => parent.report(report))
})

parent.report({ kind: 'up', authUrl: await startAuthServer() })
