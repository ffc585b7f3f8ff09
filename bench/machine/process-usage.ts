import { readdirSync, readFileSync } from 'node:fs'

/**
 * Processor time that processes have used so far, all their threads together, in µs. A process that is gone counts as 0.
 *
 * Read from the scheduler's own account: the usual one moves in steps of 10 ms, which is as long as a small broadcast.
 */
export function cpuMicros(pids: readonly number[]): number {
  let nanos = 0
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) nanos += Number(readOrNothing(`${thread}/schedstat`).split(' ')[0])
  }
  return nanos / 1e3
}

/**
 * The processes in which the kernel does what it puts off while it receives on a core, in a list of none or one. What it
 * does not put off is in the time of whoever it interrupts there.
 */
export function receivingPids(core: number): readonly number[] {
  const name = `ksoftirqd/${core}`
  const pids = readdirSync('/proc').filter(pid => readOrNothing(`/proc/${pid}/comm`).trim() === name)
  return pids.map(Number)
}

/**
 * Memory of processes in bytes, as PSS: their private pages, and their part of each page that several of them share.
 *
 * What the kernel holds for their sockets is not in it. A process that is gone counts as 0.
 */
export function pssBytes(pids: readonly number[]): number {
  let kilobytes = 0
  for (const pid of pids) {
    const rollup = readOrNothing(`/proc/${pid}/smaps_rollup`)
    kilobytes += Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1] ?? 0)
  }
  return kilobytes * 1024
}

/** A process and all that it has started, directly or not, and that still run: none if it is gone itself. */
export function processTree(pid: number | undefined): readonly number[] {
  if (pid === undefined) return []
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    // The second field is a name in parentheses, which may hold anything.
    const parent = Number(/^.*\) \S (\d+)/s.exec(readOrNothing(`/proc/${name}/stat`))?.[1])
    if (/^\d+$/.test(name)) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (const one of tree) tree.push(...(children.get(one) ?? []))
  return tree
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(thread => `/proc/${pid}/task/${thread}`)
  } catch {
    return []
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
