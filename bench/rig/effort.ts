import { type Cores, coreMicros } from '../machine/cores.js'
import { cpuMicros, receivingPids } from '../machine/process-usage.js'

/** Who worked how much while something was measured, in µs. */
export interface Effort {
  readonly wallMicros: number
  /** Processor time of the server's processes, and what the kernel put off on their core. */
  readonly serverMicros: number
  /** The same for the load's processes, which share one core. What they spent on looking in vain is not in it. */
  readonly loadMicros: number
  /** What the readers had of it. */
  readonly readersMicros: number
  /** Time in which anybody else worked on the server's core. If that is much, the run is to be repeated. 0 if nothing is pinned. */
  readonly othersAtServerMicros: number
  /** The same for the load's core. */
  readonly othersAtLoadMicros: number
}

/** A core that was busier than this was at its limit: the rest is lost between waking up and being measured. */
const BUSY = 0.9

/** The processes whose effort is measured. */
export interface EffortPids {
  readonly server: readonly number[]
  readonly readers: readonly number[]
  /** The load without its readers. */
  readonly others: readonly number[]
}

/**
 * Starts to measure; the function that it returns tells what it came to, and may be called again. It takes all processor
 * time for work: see {@link withoutVainPolls}.
 */
export function startEffort(pids: EffortPids, cores: Cores | undefined): () => Effort {
  const kernelAt = (core: keyof Cores) => (cores === undefined ? [] : receivingPids(cores[core]))
  const server = [...pids.server, ...kernelAt('server')]
  const others = [...pids.others, ...kernelAt('load')]
  const readers = pids.readers
  const workAt = (core: keyof Cores) => (cores === undefined ? 0 : coreMicros(cores[core]))
  const atServerBefore = workAt('server')
  const atLoadBefore = workAt('load')
  const startedAt = performance.now()
  const serverBefore = cpuMicros(server)
  const readersBefore = cpuMicros(readers)
  const othersBefore = cpuMicros(others)
  return () => {
    const serverMicros = cpuMicros(server) - serverBefore
    const readersMicros = cpuMicros(readers) - readersBefore
    const loadMicros = cpuMicros(others) - othersBefore + readersMicros
    return {
      wallMicros: (performance.now() - startedAt) * 1e3,
      serverMicros,
      loadMicros,
      readersMicros,
      othersAtServerMicros: Math.max(0, workAt('server') - atServerBefore - serverMicros),
      othersAtLoadMicros: Math.max(0, workAt('load') - atLoadBefore - loadMicros),
    }
  }
}

/** The effort when the readers looked in vain for most of their time, and worked for `workedMicros` of it. */
export function withoutVainPolls(effort: Effort, workedMicros: number): Effort {
  return {
    ...effort,
    loadMicros: effort.loadMicros - effort.readersMicros + workedMicros,
    readersMicros: workedMicros,
  }
}

/** The sum of several measurements. */
export function addEfforts(efforts: readonly Effort[]): Effort {
  const sum = (pick: (effort: Effort) => number) => efforts.reduce((total, effort) => total + pick(effort), 0)
  return {
    wallMicros: sum(effort => effort.wallMicros),
    serverMicros: sum(effort => effort.serverMicros),
    loadMicros: sum(effort => effort.loadMicros),
    readersMicros: sum(effort => effort.readersMicros),
    othersAtServerMicros: sum(effort => effort.othersAtServerMicros),
    othersAtLoadMicros: sum(effort => effort.othersAtLoadMicros),
  }
}

/** The share of the time, 0 to 1, in which the load worked. */
export function loadShare(effort: Effort): number {
  return effort.loadMicros / effort.wallMicros
}

/** The share of the time, 0 to 1, in which the server worked. */
export function serverShare(effort: Effort): number {
  return effort.serverMicros / effort.wallMicros
}

/** The share of the time, 0 to 1, in which others worked on a core that is the server's, or the load's. */
export function othersShare(effort: Effort, core: keyof Cores): number {
  const micros = core === 'server' ? effort.othersAtServerMicros : effort.othersAtLoadMicros
  return micros / effort.wallMicros
}

/** Whether the load was at its limit while the server was not: the figure says how fast the load is. */
export function isLoadBound(effort: Effort): boolean {
  return loadShare(effort) > BUSY && serverShare(effort) < BUSY
}
