import { Histogram } from '../load/histogram.js'
import type { ProbeCommand, ProbeReport } from '../load/protocol.js'
import { LoadProcess } from '../machine/load-process.js'
import type { Server } from '../peers/peer.js'
import type { RigSetting } from './rig.js'

/** What came of asking. */
export interface Probing {
  readonly asked: number
  /** What was not answered, or not by 200. */
  readonly refused: number
  /** From asking until the answer was read. */
  readonly latency: Histogram
  /** How late the probe itself was: what it says of the server is worth no more than this is small. */
  readonly lateness: Histogram
}

/** A process that asks a server every few ms whether it is alive. */
export class Probe {
  readonly #process: LoadProcess<ProbeCommand, ProbeReport>

  private constructor(process: LoadProcess<ProbeCommand, ProbeReport>) {
    this.#process = process
  }

  /**
   * Starts to ask.
   *
   * @returns `undefined` where that makes no sense: no C compiler, or a server that does not say whether it is alive
   */
  static async start(setting: RigSetting, server: Server, everyMs: number): Promise<Probe | undefined> {
    const { host, port, healthPath } = server
    const program = setting.programs.probe
    if (program === undefined || healthPath === undefined) return undefined
    const process = new LoadProcess<ProbeCommand, ProbeReport>('the probe', program, setting.cores?.load)
    const { isUrgent } = await process.next('up')
    if (!isUrgent) setting.progress.warn('the probe has to wait for the rest of the load, and is too slow')
    const probing = process.next('probing')
    process.send({ kind: 'probe', host, port, path: healthPath, everyMs })
    await probing
    return new Probe(process)
  }

  /** Ends the asking, and the process. */
  async stop(): Promise<Probing> {
    const probed = this.#process.next('probed')
    this.#process.send({ kind: 'stop' })
    const { asked, refused, latency, lateness } = await probed
    await this.#process.leave({ kind: 'leave' })
    return { asked, refused, latency: Histogram.sum([latency]), lateness: Histogram.sum([lateness]) }
  }
}
