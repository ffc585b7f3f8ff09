import { setTimeout as sleep } from 'node:timers/promises'
import { addFaults, type Faults, NO_FAULTS } from '../load/faults.js'
import { Histogram } from '../load/histogram.js'
import type { AskedReport, PublisherCommand, PublisherReport } from '../load/protocol.js'
import { SPREAD_EACH } from '../load/spread.js'
import type { Cores } from '../machine/cores.js'
import { LoadProcess } from '../machine/load-process.js'
import { cpuMicros, pssBytes } from '../machine/process-usage.js'
import type { Programs } from '../machine/programs.js'
import type { Asking, Audience, Peer, Server } from '../peers/peer.js'
import { type Effort, startEffort, withoutVainPolls } from './effort.js'
import { Patience, StalledError } from './patience.js'
import type { Progress } from './progress.js'
import { type Publication, publishCommand } from './publication.js'
import { type Collected, type Ramp, Readers, type Return } from './readers.js'

/** What all rigs of a run have in common. */
export interface RigSetting {
  readonly cores: Cores | undefined
  readonly programs: Programs
  /** The Node that runs those servers that Node runs: path of the program. */
  readonly node: string
  readonly progress: Progress
  /** Does something while the loopback is not steered, if it is: see {@link steerLoopback}. */
  withoutSteering<Result>(work: () => Promise<Result>): Promise<Result>
  /** When nothing has come for so long, nothing more will: what is missing then is lost. */
  readonly patienceMs: number
}

/** Who subscribes. */
export interface Subscribers {
  readonly count: number
  /** `shared` if not given. */
  readonly audience?: Audience
  /** `stream` if not given. */
  readonly kind?: Asking['kind']
}

/** What came of a publication. */
export interface Delivery {
  /** Every message at every subscriber, counted once. */
  readonly deliveries: number
  /** Polls that were answered with messages. */
  readonly answers: number
  /** From the first message's publishing until the last subscriber had read the last one. */
  readonly micros: number
  /** From publishing to reading. */
  readonly latency: Histogram
  /** From publishing until the server answered the publisher. */
  readonly answered: Histogram
  readonly effort: Effort
}

type Publisher = LoadProcess<PublisherCommand, PublisherReport>

/** A server that works for less than this share of such a time has nothing to do. */
const IDLE_SHARE = 0.03
const IDLE_MS = 200
const IDLE_WITHIN_MS = 20_000
/** How long to listen, when everything has come, for what comes twice. */
const AFTERMATH_MS = 150

/** One server under test and the load on it, from start to end. Scenarios work with nothing else. */
export class Rig {
  readonly #setting: RigSetting
  readonly #audience: Audience
  readonly #asking: Asking
  readonly #publisher: Publisher
  readonly #readers: Readers
  readonly #patience: Patience
  #server: Server
  #connected = 0
  #phase = 0
  #faults: Faults = NO_FAULTS
  #done: Promise<void> = Promise.resolve()
  #due = 0

  private constructor(
    setting: RigSetting,
    { audience = 'shared', kind = 'stream' }: Subscribers,
    publisher: Publisher,
    server: Server,
    readers: Readers,
  ) {
    const asking = kind === 'stream' ? server.stream(audience) : server.poll?.(audience)
    if (asking === undefined) throw new Error('the server cannot be polled')
    this.#setting = setting
    this.#audience = audience
    this.#asking = asking
    this.#publisher = publisher
    this.#server = server
    this.#readers = readers
    this.#patience = new Patience(setting.patienceMs)
    publisher.onEach('progress', () => this.#patience.moved())
    readers.onProgress((connected, delivered) => {
      this.#patience.moved()
      if (this.#due === 0 || delivered === 0) setting.progress.update(`${connected} connected`)
      else setting.progress.update(`${Math.floor((100 * delivered) / this.#due)} % of ${this.#due} delivered`)
    })
  }

  /** Starts a server, the processes for the subscribers, and the one that publishes. */
  static async start(setting: RigSetting, peer: Peer, subscribers: Subscribers): Promise<Rig> {
    const { cores, node, programs } = setting
    const publisher: Publisher = new LoadProcess('the publisher', programs.publisher, cores?.load)
    const { authUrl } = await publisher.next('up')
    const server = await peer.start({ authUrl, core: cores?.server, node, programs })
    const readers = await Readers.start(programs.reader, subscribers.count, cores?.load)
    return new Rig(setting, subscribers, publisher, server, readers)
  }

  /** What went wrong so far. */
  get faults(): Faults {
    return this.#faults
  }

  /** The server, for what is asked of it beside the load. */
  get server(): Server {
    return this.#server
  }

  /** Memory of the server's processes in bytes (PSS). */
  memoryBytes(): number {
    return pssBytes(this.#server.pids())
  }

  /**
   * Opens the connections, at most `window` connecting at a time. Once in a rig's life.
   *
   * @param mayFallShort whether to go on with those that could connect if not all could
   * @throws Error that says how many could connect, if not all could; if the server or a load process ends; if nothing
   * moves for `patienceMs`
   */
  async connect(window: number, mayFallShort = false): Promise<Ramp & { readonly effort: Effort }> {
    const { host, port } = this.#server
    const stopEffort = this.startEffort()
    const ramp = await this.#untilStalled(this.#readers.connect({ host, port, ...this.#asking }, window))
    this.#connected = ramp.connected
    if (ramp.failed > 0) {
      const text = `${ramp.connected} could connect, ${ramp.failed} could not, the first with: ${ramp.failure}`
      if (!mayFallShort || ramp.connected === 0) throw new Error(text)
      this.#setting.progress.warn(text)
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
  async publish(publication: Publication): Promise<Delivery> {
    await this.begin(publication)
    const stopEffort = this.startEffort()
    const { firstMicros, latency } = await this.send(publication)
    await this.settled()
    const effort = stopEffort()
    const collected = await this.collect()
    const micros = collected.lastMicros - firstMicros
    return {
      deliveries: collected.delivered,
      answers: collected.answers,
      micros,
      latency: collected.latency,
      answered: Histogram.sum([latency]),
      effort: withoutVainPolls({ ...effort, wallMicros: micros }, collected.workedMicros),
    }
  }

  /** The first step of {@link publish}: from now on the subscribers expect what is to be published. */
  async begin({ targets, messages }: Publication, hasCrash = false): Promise<void> {
    this.#phase++
    const isSpread = this.#audience === 'spread'
    this.#due = this.#connected * (isSpread ? SPREAD_EACH : targets.length) * messages
    await this.#readers.arm({ phase: this.#phase, sources: targets.length, messages, isSpread, hasCrash })
    this.#done = this.#readers.done()
    // Nobody waits for it any more once something else has failed.
    this.#done.catch(() => {})
  }

  /** The second step: resolves when all is published, whoever has got it. */
  async send(publication: Publication) {
    const published = this.#publisher.next('published')
    this.#publisher.send(publishCommand(this.#server, this.#phase, publication))
    const report = await this.#untilStalled(published)
    if (report.refusal === undefined) return report
    throw new Error(`${report.refused} messages were refused, the first with: ${report.refusal}`)
  }

  /** The third step: resolves when every subscriber has everything, or nothing more comes. */
  async settled(): Promise<void> {
    await this.#untilStalled(this.#done).catch((error: unknown) => {
      if (!(error instanceof StalledError)) throw error
    })
  }

  /** The last step: what came, and a little later still. */
  async collect(): Promise<Collected> {
    await sleep(AFTERMATH_MS)
    const collected = await this.#readers.collect()
    this.#due = 0
    this.#faults = addFaults(this.#faults, collected.faults)
    if (collected.ending !== undefined) this.#setting.progress.warn(`a stream ended: ${collected.ending}`)
    return collected
  }

  /** Cuts all connections off. */
  async cut(): Promise<void> {
    await this.#untilStalled(this.#readers.cut())
  }

  /** Kills the server in a phase that has a crash, and starts it anew; resolves when it serves. */
  async crash(): Promise<void> {
    const away = this.#readers.away()
    const again = this.#server.crash?.()
    if (again === undefined) throw new Error('the server cannot be started again')
    this.#server = await again
    await this.#untilStalled(away)
  }

  /** Lets all that are away return, each at a random time within `spreadMs`. */
  async return(spreadMs: number): Promise<Return> {
    return this.#untilStalled(this.#readers.return(spreadMs))
  }

  /** From now on the CMS takes `delayMs` for an answer; tells what it was asked since the last such call. */
  askAuth(delayMs: number): Promise<AskedReport> {
    const asked = this.#publisher.next('asked')
    this.#publisher.send({ kind: 'askAuth', delayMs })
    return asked
  }

  /** Starts to measure who works how much. */
  startEffort(): () => Effort {
    const others = [...this.#publisher.pids, process.pid]
    const pids = { server: this.#server.pids(), readers: this.#readers.pids, others }
    return startEffort(pids, this.#setting.cores)
  }

  /** Waits until the server has next to nothing to do; at most 20 s. */
  async idle(): Promise<void> {
    const deadline = performance.now() + IDLE_WITHIN_MS
    let before = cpuMicros(this.#server.pids())
    while (performance.now() < deadline) {
      await this.rest(IDLE_MS)
      const now = cpuMicros(this.#server.pids())
      if (now - before < IDLE_SHARE * IDLE_MS * 1000) return
      before = now
    }
  }

  /** Waits, while the streams stay open; fails if the server ends. */
  async rest(ms: number): Promise<void> {
    if (ms >= 5000) this.#setting.progress.update(`rests for ${ms / 1000} s`)
    await Promise.race([sleep(ms), this.#failure()])
  }

  /** Ends connections and processes. What came unasked since the last phase is in {@link faults} afterwards. */
  async stop(): Promise<void> {
    if (this.#connected > 0) await this.collect()
    await this.#readers.leave()
    await this.#publisher.leave({ kind: 'leave' })
    if (!(await this.#server.stop()))
      this.#setting.progress.warn('the server did not end when asked, and was killed')
  }

  async #failure(): Promise<never> {
    throw new Error(await this.#server.ended)
  }

  #untilStalled<Result>(work: Promise<Result>): Promise<Result> {
    return this.#patience.until(work, this.#failure())
  }
}
