import { setTimeout as sleep } from 'node:timers/promises'
import { addFaults, type Faults, NO_FAULTS } from '../load/faults.js'
import { Histogram } from '../load/histogram.js'
import type { PublisherCommand, PublisherReport } from '../load/protocol.js'
import { STAMP_PLACEHOLDER } from '../load/stamp.js'
import type { Cores } from '../machine/cores.js'
import { LoadProcess } from '../machine/load-process.js'
import { pssBytes } from '../machine/process-usage.js'
import type { Programs } from '../machine/programs.js'
import type { Peer, Server, Target } from '../peers/peer.js'
import { type Effort, startEffort, withoutVainPolls } from './effort.js'
import type { Progress } from './progress.js'
import { type Ramp, Readers } from './readers.js'

/** What all rigs of a run have in common. */
export interface RigSetting {
  readonly cores: Cores | undefined
  readonly programs: Programs
  readonly progress: Progress
  /** When nothing has come for so long, nothing more will: what is missing then is lost. */
  readonly patienceMs: number
}

/** What is to be published. */
export interface Publication {
  /** One publisher, with a connection of its own, for each. */
  readonly targets: readonly Target[]
  /** How many messages each publisher sends. */
  readonly messages: number
  /** Bytes of text in each message's data, beside its stamp. */
  readonly textBytes: number
}

/** What came of it. */
export interface Delivery {
  /** Every message at every subscriber, counted once. */
  readonly deliveries: number
  /** From the first message's publishing until the last subscriber had read the last one. */
  readonly micros: number
  /** From publishing to reading. */
  readonly latency: Histogram
  /** From publishing until the server answered the publisher. */
  readonly answered: Histogram
  readonly effort: Effort
}

type Publisher = LoadProcess<PublisherCommand, PublisherReport>

const LOOK_FOR_STALL_MS = 250
/** How long to listen, when everything has come, for what comes twice. */
const AFTERMATH_MS = 150

/** One server under test and the load on it, from start to end. Scenarios work with nothing else. */
export class Rig {
  readonly #setting: RigSetting
  readonly #publisher: Publisher
  readonly #server: Server
  readonly #readers: Readers
  #connected = 0
  #phase = 0
  #faults: Faults = NO_FAULTS
  #movedAt = 0
  #due = 0

  private constructor(setting: RigSetting, publisher: Publisher, server: Server, readers: Readers) {
    this.#setting = setting
    this.#publisher = publisher
    this.#server = server
    this.#readers = readers
    readers.onProgress((connected, delivered) => {
      this.#movedAt = performance.now()
      if (this.#due === 0) setting.progress.update(`${connected} connected`)
      else setting.progress.update(`${Math.floor((100 * delivered) / this.#due)} % of ${this.#due} delivered`)
    })
  }

  /** Starts a server, the processes for `subscribers`, and the one that publishes. */
  static async start(setting: RigSetting, peer: Peer, subscribers: number): Promise<Rig> {
    const { cores, programs } = setting
    const publisher: Publisher = new LoadProcess('the publisher', programs.publisher, cores?.load)
    const { authUrl } = await publisher.next('up')
    const server = await peer.start({ authUrl, core: cores?.server, programs })
    const readers = await Readers.start(programs.reader, subscribers, cores?.load)
    return new Rig(setting, publisher, server, readers)
  }

  /** What went wrong so far. */
  get faults(): Faults {
    return this.#faults
  }

  /** Memory of the server's processes in bytes (PSS). */
  memoryBytes(): number {
    return pssBytes(this.#server.pids())
  }

  /**
   * Opens the streams, at most `window` connecting at a time. Once in a rig's life.
   *
   * @throws Error that says how many could connect, if not all could; if the server or a load process ends; if nothing
   * moves for `patienceMs`
   */
  async connect(window: number): Promise<Ramp & { readonly effort: Effort }> {
    const { host, port, stream } = this.#server
    const stopEffort = this.#startEffort()
    const ramp = await this.#untilStalled(this.#readers.connect({ host, port, ...stream }, window))
    this.#connected = ramp.connected
    if (ramp.failed > 0) {
      throw new Error(
        `${ramp.connected} could connect, ${ramp.failed} could not, the first with: ${ramp.failure}`,
      )
    }
    return { ...ramp, effort: { ...stopEffort(), wallMicros: ramp.micros } }
  }

  /**
   * Publishes, and waits until every subscriber has everything.
   *
   * When something is lost, it waits until nothing has come for `patienceMs`; the figures are worth nothing then, and
   * {@link faults} says why.
   *
   * @throws Error if the server or a load process ends, or the server refuses or does not answer
   */
  async publish({ targets, messages, textBytes }: Publication): Promise<Delivery> {
    this.#phase++
    this.#due = this.#connected * targets.length * messages
    await this.#readers.arm({ phase: this.#phase, sources: targets.length, messages })
    const data = `{"stamp":"${STAMP_PLACEHOLDER}","text":"${'x'.repeat(textBytes)}"}`
    const done = this.#readers.done()
    // Nobody waits for it any more once something else has failed.
    done.catch(() => {})
    const published = this.#publisher.next('published')
    const stopEffort = this.#startEffort()
    this.#publisher.send({
      kind: 'publish',
      host: this.#server.host,
      port: this.#server.port,
      phase: this.#phase,
      sources: targets.map(target => this.#server.publish(target, data)),
      messages,
    })
    const { firstMicros, latency, refused, refusal } = await this.#untilStalled(published)
    if (refusal !== undefined) throw new Error(`${refused} messages were refused, the first with: ${refusal}`)
    await this.#untilStalled(done).catch((error: unknown) => {
      if (!(error instanceof StalledError)) throw error
    })
    const effort = stopEffort()
    await sleep(AFTERMATH_MS)
    const collected = await this.#collect()
    const micros = collected.lastMicros - firstMicros
    return {
      deliveries: collected.delivered,
      micros,
      latency: collected.latency,
      answered: Histogram.sum([latency]),
      effort: withoutVainPolls({ ...effort, wallMicros: micros }, collected.workedMicros),
    }
  }

  /** Waits, while the streams stay open; fails if the server ends. */
  async rest(ms: number): Promise<void> {
    if (ms >= 5000) this.#setting.progress.update(`rests for ${ms / 1000} s`)
    await Promise.race([sleep(ms), this.#failure()])
  }

  /** Ends connections and processes. What came unasked since the last phase is in {@link faults} afterwards. */
  async stop(): Promise<void> {
    if (this.#connected > 0) await this.#collect()
    await this.#readers.leave()
    await this.#publisher.leave({ kind: 'leave' })
    if (!(await this.#server.stop()))
      this.#setting.progress.warn('the server did not end when asked, and was killed')
  }

  async #collect() {
    const collected = await this.#readers.collect()
    this.#due = 0
    this.#faults = addFaults(this.#faults, collected.faults)
    if (collected.ending !== undefined) this.#setting.progress.warn(`a stream ended: ${collected.ending}`)
    return collected
  }

  #startEffort(): () => Effort {
    const others = [...this.#publisher.pids, process.pid]
    const pids = { server: this.#server.pids(), readers: this.#readers.pids, others }
    return startEffort(pids, this.#setting.cores)
  }

  async #failure(): Promise<never> {
    throw new Error(await this.#server.ended)
  }

  /** What `work` comes to, unless the server ends or nothing moves for too long before. */
  async #untilStalled<Result>(work: Promise<Result>): Promise<Result> {
    const { patienceMs } = this.#setting
    this.#movedAt = performance.now()
    let watch: NodeJS.Timeout | undefined
    const stalled = new Promise<never>((_, reject) => {
      watch = setInterval(() => {
        if (performance.now() - this.#movedAt > patienceMs) reject(new StalledError(patienceMs))
      }, LOOK_FOR_STALL_MS)
    })
    try {
      return await Promise.race([work, stalled, this.#failure()])
    } finally {
      clearInterval(watch)
    }
  }
}

class StalledError extends Error {
  constructor(ms: number) {
    super(`nothing has moved for ${ms / 1000} s`)
  }
}
