import { Child } from './child.js'

interface Waiting<Report> {
  take(report: Report): boolean
  reject(error: Error): void
}

/** Where a program of `bench/load/` is, and whether Node runs it or the machine itself. */
export interface LoadProgram {
  readonly kind: 'node' | 'native'
  readonly path: string
}

/** A load process: a program of `bench/load/` that takes commands and sends reports. */
export class LoadProcess<Command extends object, Report extends { readonly kind: string }> {
  readonly #child: Child
  readonly #waiting = new Set<Waiting<Report>>()
  #endedHow: string | undefined

  /**
   * @param core core to pin it to; `undefined`: none
   */
  constructor(name: string, { kind, path }: LoadProgram, core: number | undefined) {
    this.#child =
      kind === 'native'
        ? new Child(name, [path], { core, channel: 'lines' })
        : new Child(name, [process.execPath, path], { core, channel: 'ipc' })
    this.#child.onMessage(message => {
      if (!this.#isReport(message)) return
      for (const waiting of [...this.#waiting]) {
        if (waiting.take(message)) this.#waiting.delete(waiting)
      }
    })
    void this.#child.ended.then(how => {
      this.#endedHow = how
      for (const waiting of this.#waiting) waiting.reject(new Error(how))
    })
  }

  /** Its process id, in a list of none or one. */
  get pids(): readonly number[] {
    return this.#child.pid === undefined ? [] : [this.#child.pid]
  }

  /** Sends a command. */
  send(command: Command): void {
    this.#child.send(command)
  }

  /**
   * The next report of a kind that comes from now on.
   *
   * @throws Error if the process ends first
   */
  next<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    const isWanted = (report: Report): report is Extract<Report, { kind: Kind }> => report.kind === kind
    const next = new Promise<Extract<Report, { kind: Kind }>>((resolve, reject) => {
      if (this.#endedHow !== undefined) reject(new Error(this.#endedHow))
      this.#waiting.add({
        reject,
        take(report) {
          if (!isWanted(report)) return false
          resolve(report)
          return true
        },
      })
    })
    // Its end is told to all that wait; a run that has failed elsewhere does not listen any more.
    next.catch(() => {})
    return next
  }

  /** Calls `listener` with every report of a kind from now on. */
  onEach<Kind extends Report['kind']>(
    kind: Kind,
    listener: (report: Extract<Report, { kind: Kind }>) => void,
  ): void {
    const isWanted = (report: Report): report is Extract<Report, { kind: Kind }> => report.kind === kind
    this.#waiting.add({
      reject() {},
      take(report) {
        if (isWanted(report)) listener(report)
        return false
      },
    })
  }

  /** Lets it end its connections and waits until it is gone. */
  async leave(command: Command): Promise<void> {
    this.send(command)
    const timer = setTimeout(() => this.#child.kill(), 5000)
    await this.#child.ended
    clearTimeout(timer)
  }

  #isReport(value: unknown): value is Report {
    return typeof value === 'object' && value !== null && 'kind' in value
  }
}
