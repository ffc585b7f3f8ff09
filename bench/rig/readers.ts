import { addFaults, type Faults, NO_FAULTS } from '../load/faults.js'
import { Histogram } from '../load/histogram.js'
import type { PhasePlan } from '../load/phase-ledger.js'
import type { ConnectedReport, ReaderCommand, ReaderReport, StreamRequest } from '../load/protocol.js'
import { LoadProcess, type LoadProgram } from '../machine/load-process.js'

/** How the connecting went. */
export interface Ramp {
  readonly connected: number
  readonly failed: number
  /** Why the first one failed that did. */
  readonly failure: string | undefined
  /** From the first `connect()` until the last stream was open. */
  readonly micros: number
  /** When the last stream was open. */
  readonly lastMicros: number
  /** From `connect()` until the stream was open. */
  readonly latency: Histogram
}

/** How the returning went. */
export interface Return extends Ramp {
  /** How often somebody was turned away, or found no server, and had to come again. */
  readonly turnedAway: number
}

/** What all subscribers together have read in a phase. */
export interface Collected {
  readonly delivered: number
  /** Messages that did not come, of which a gap has told. */
  readonly excused: number
  /** Subscribers that were told so. */
  readonly gapped: number
  /** Polls that were answered with messages. */
  readonly answers: number
  readonly faults: Faults
  /** Why the first stream ended that did. */
  readonly ending: string | undefined
  readonly latency: Histogram
  /** When the last message was read. */
  readonly lastMicros: number
  /** Processor time in which the processes had something to do. */
  readonly workedMicros: number
}

type Reader = LoadProcess<ReaderCommand, ReaderReport>

/** A process may open 20,000 files where this was written, and its sockets are not all that it opens. */
const SUBSCRIBERS_PER_PROCESS = 15_000

/** All subscribers of a run, held by as many processes as they need. */
export class Readers {
  readonly #processes: readonly Reader[]
  readonly #count: number
  readonly #polls: boolean

  private constructor(processes: readonly Reader[], count: number, polls: boolean) {
    this.#processes = processes
    this.#count = count
    this.#polls = polls
  }

  /** Starts the processes for so many subscribers. None is connected yet. */
  static async start(program: LoadProgram, count: number, core: number | undefined): Promise<Readers> {
    const processes = Array.from(
      { length: Math.max(1, Math.ceil(count / SUBSCRIBERS_PER_PROCESS)) },
      (_, index): Reader => new LoadProcess(`reader ${index}`, program, core),
    )
    await Promise.all(processes.map(process => process.next('up')))
    // Only on a core that is not the server's. Of several that share it, only the native ones let each other through.
    const polls = core !== undefined && (program.kind === 'native' || processes.length === 1)
    return new Readers(processes, count, polls)
  }

  /** The processes. */
  get pids(): readonly number[] {
    return this.#processes.flatMap(process => process.pids)
  }

  /** Calls `listener` twice a second, while something moves, with the sums over all processes. */
  onProgress(listener: (connected: number, delivered: number) => void): void {
    const latest = this.#processes.map(() => ({ connected: 0, delivered: 0 }))
    this.#processes.forEach((process, index) => {
      process.onEach('progress', ({ connected, delivered }) => {
        latest[index] = { connected, delivered }
        const sum = (key: 'connected' | 'delivered') => latest.reduce((total, one) => total + one[key], 0)
        listener(sum('connected'), sum('delivered'))
      })
    })
  }

  /** Opens the streams, at most `window` connecting at a time. */
  async connect(request: StreamRequest, window: number): Promise<Ramp> {
    const share = Math.ceil(this.#count / this.#processes.length)
    const reports = await this.#all('connected', (index): ReaderCommand => {
      const first = index * share
      return {
        kind: 'connect',
        first,
        count: Math.min(share, this.#count - first),
        window: Math.max(1, Math.floor(window / this.#processes.length)),
        request: {
          kind: request.kind,
          host: request.host,
          port: request.port,
          path: request.path,
          ready: request.ready,
          ...(index === 0 ? {} : { localAddress: `127.0.0.${index + 1}` }),
        },
      }
    })
    return sumRamps(reports)
  }

  /** Cuts all connections; resolves when they are. Only the native reader does this and the next two. */
  async cut(): Promise<void> {
    await this.#all('away', () => ({ kind: 'cut' }))
  }

  /** Resolves when no connection is left, in a phase with a crash. To be called before it. */
  async away(): Promise<void> {
    await Promise.all(this.#processes.map(process => process.next('away')))
  }

  /** Lets all return with their cursors, each at a random time within `spreadMs`; resolves when all have. */
  async return(spreadMs: number): Promise<Return> {
    const reports = await this.#all('returned', () => ({ kind: 'return', spreadMs }))
    return { ...sumRamps(reports), turnedAway: reports.reduce((sum, report) => sum + report.turnedAway, 0) }
  }

  /** Begins a phase. What comes from now on is checked against the plan. */
  async arm({ phase, sources, messages, isSpread, hasCrash }: PhasePlan): Promise<void> {
    await this.#all('armed', () => ({
      kind: 'arm',
      plan: { phase, sources, messages, isSpread, hasCrash },
      polls: this.#polls,
    }))
  }

  /** Resolves when every subscriber has everything that the phase's plan promises. To be called before it begins. */
  async done(): Promise<void> {
    await Promise.all(this.#processes.map(process => process.next('done')))
  }

  /** Ends a phase and tells what came of it, and what went wrong since the last one. */
  async collect(): Promise<Collected> {
    const reports = await this.#all('collected', () => ({ kind: 'collect' }))
    const sum = (key: 'delivered' | 'excused' | 'gapped' | 'answers' | 'workedMicros') =>
      reports.reduce((total, report) => total + report[key], 0)
    return {
      delivered: sum('delivered'),
      excused: sum('excused'),
      gapped: sum('gapped'),
      answers: sum('answers'),
      faults: reports.reduce((sum, report) => addFaults(sum, report.faults), NO_FAULTS),
      ending: reports.find(report => report.ending !== undefined)?.ending,
      latency: Histogram.sum(reports.map(report => report.latency)),
      lastMicros: Math.max(...reports.map(report => report.lastMicros)),
      workedMicros: sum('workedMicros'),
    }
  }

  /** Ends all connections and processes. */
  async leave(): Promise<void> {
    await Promise.all(this.#processes.map(process => process.leave({ kind: 'leave' })))
  }

  #all<Kind extends ReaderReport['kind']>(kind: Kind, command: (index: number) => ReaderCommand) {
    return Promise.all(
      this.#processes.map((process, index) => {
        const report = process.next(kind)
        process.send(command(index))
        return report
      }),
    )
  }
}

function sumRamps(reports: readonly Omit<ConnectedReport, 'kind'>[]): Ramp {
  const lastMicros = Math.max(...reports.map(report => report.lastMicros))
  return {
    connected: reports.reduce((sum, report) => sum + report.connected, 0),
    failed: reports.reduce((sum, report) => sum + report.failed, 0),
    failure: reports.find(report => report.failure !== undefined)?.failure,
    micros: lastMicros - Math.min(...reports.map(report => report.firstMicros)),
    lastMicros,
    latency: Histogram.sum(reports.map(report => report.latency)),
  }
}
