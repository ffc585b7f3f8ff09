import { nowMicros } from './clock.js'
import { Histogram } from './histogram.js'
import type { ConnectedReport } from './protocol.js'

/** So many connections that fail end a ramp: the server, or the machine, says no. */
const FAILURES_BEFORE_GIVING_UP = 100

/** Opens connections, only so many at a time, and takes the time. */
export class Ramp {
  readonly #count: number
  readonly #window: number
  readonly #open: (index: number) => void
  readonly #over: (report: ConnectedReport) => void
  readonly #startedMicros: number[] = []
  readonly #latency = new Histogram()
  readonly #firstMicros = nowMicros()
  #lastMicros = 0
  #connected = 0
  #failed = 0
  #failure: string | undefined

  /**
   * @param open starts connection `index`; {@link ready} or {@link failed} must follow, not within the call
   * @param over is called once, when all are open or too many have failed, and no connection is under way
   */
  constructor(
    count: number,
    window: number,
    open: (index: number) => void,
    over: (report: ConnectedReport) => void,
  ) {
    this.#count = count
    this.#window = window
    this.#open = open
    this.#over = over
    this.#advance()
  }

  /** How many connections were opened. */
  get connected(): number {
    return this.#connected
  }

  /** A connection is open. */
  ready(index: number): void {
    this.#connected++
    this.#lastMicros = nowMicros()
    this.#latency.add(this.#lastMicros - (this.#startedMicros[index] ?? this.#lastMicros))
    this.#advance()
  }

  /** A connection could not be opened. */
  failed(why: string): void {
    this.#failed++
    this.#failure ??= why
    this.#advance()
  }

  #advance(): void {
    const finished = () => this.#connected + this.#failed
    const mayStart = () =>
      this.#startedMicros.length < this.#count && this.#failed < FAILURES_BEFORE_GIVING_UP
    while (mayStart() && this.#startedMicros.length - finished() < this.#window) {
      this.#startedMicros.push(nowMicros())
      this.#open(this.#startedMicros.length - 1)
    }
    if (mayStart() || finished() < this.#startedMicros.length) return
    this.#over({
      kind: 'connected',
      connected: this.#connected,
      failed: this.#failed,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      firstMicros: this.#firstMicros,
      lastMicros: this.#lastMicros,
      latency: this.#latency.toData(),
    })
  }
}
