import { setTimeout as sleep } from 'node:timers/promises'
import { nowMicros } from './clock.js'
import { Histogram } from './histogram.js'
import { KeepAliveConnection } from './keep-alive-connection.js'
import type { PublishCommand, PublishedReport, PublishRequest } from './protocol.js'
import { STAMP_PLACEHOLDER, writeStamp } from './stamp.js'

/** One a source, kept from phase to phase: a lone broadcast does not wait for a handshake. */
const connections: KeepAliveConnection[] = []
/** What is published at a pace uses any that is free. */
const free: KeepAliveConnection[] = []

/** Ends all connections that publications have left open. */
export function closeConnections(): void {
  for (const connection of [...connections, ...free]) connection.close()
}

/** Publishes what one command asks for, and counts. */
export class Publication {
  readonly #command: PublishCommand
  readonly #latency = new Histogram()
  #accepted = 0
  #refused = 0
  #refusal: string | undefined
  #firstMicros = Number.POSITIVE_INFINITY

  constructor(command: PublishCommand) {
    this.#command = command
  }

  /** How many messages were answered, whatever the answer. */
  get answered(): number {
    return this.#accepted + this.#refused
  }

  /** Resolves when everything was answered. Refusals are counted, and no error. */
  async run(): Promise<PublishedReport> {
    const { sources, pace } = this.#command
    if (pace === undefined) await Promise.all(sources.map((_, source) => this.#runSource(source)))
    else await this.#runAtPace(pace)
    return {
      kind: 'published',
      accepted: this.#accepted,
      refused: this.#refused,
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
      firstMicros: this.#firstMicros,
      latency: this.#latency.toData(),
    }
  }

  async #runSource(source: number): Promise<void> {
    for (let sequence = 1; sequence <= this.#command.messages; sequence++) {
      await this.#send(connectionOf(source, this.#command), source, sequence)
    }
  }

  /**
   * Each message at its time after the first, not after the last: who is late catches up. A message of a source may overtake
   * the one before only if the server takes longer for an answer than all sources need for a turn, so the source waits then.
   */
  async #runAtPace(pace: number): Promise<void> {
    const { sources, messages } = this.#command
    const latest: Promise<void>[] = []
    const startedAt = performance.now()
    for (let index = 0; index < sources.length * messages; index++) {
      const earlyMs = startedAt + (index * 1000) / pace - performance.now()
      if (earlyMs > 0) await sleep(earlyMs)
      const source = index % sources.length
      await latest[source]
      latest[source] = this.#sendFree(source, Math.floor(index / sources.length) + 1)
    }
    await Promise.all(latest)
  }

  async #sendFree(source: number, sequence: number): Promise<void> {
    const left = free.pop()
    const connection = left?.isOpen ? left : new KeepAliveConnection(this.#command.host, this.#command.port)
    await this.#send(connection, source, sequence)
    free.push(connection)
  }

  async #send(connection: KeepAliveConnection, source: number, sequence: number): Promise<void> {
    const request = this.#command.sources[source]
    if (request === undefined) return
    try {
      await this.#post(connection, request, source, sequence)
      this.#accepted++
    } catch (error) {
      this.#refused++
      this.#refusal ??= String(error)
    }
  }

  async #post(
    connection: KeepAliveConnection,
    request: PublishRequest,
    source: number,
    sequence: number,
  ): Promise<void> {
    const micros = nowMicros()
    this.#firstMicros = Math.min(this.#firstMicros, micros)
    const stamp = writeStamp({ phase: this.#command.phase, source, sequence, micros })
    const body = request.body.replace(STAMP_PLACEHOLDER, stamp)
    const answer = await connection.post(request.path, request.headers, body)
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
