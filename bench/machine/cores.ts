import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'

/** Which core the server under test has for itself, and which one the load runs on. */
export interface Cores {
  readonly server: number
  readonly load: number
}

/** Server on core 0, load on core 1; `undefined` where there is only one, or no `taskset` to pin with: nothing is pinned then. */
export function findCores(): Cores | undefined {
  const hasTaskset = spawnSync('taskset', ['--version']).status === 0
  return os.availableParallelism() > 1 && hasTaskset ? { server: 0, load: 1 } : undefined
}

/** Moves this process to a core, with all that it starts afterwards and does not put elsewhere. */
export function pinThisProcess(core: number): void {
  spawnSync('taskset', ['-c', '-p', '-a', String(core), String(process.pid)])
}

/**
 * How long a core has worked since boot, for anybody, in µs; the kernel counts in steps of 10 ms.
 *
 * 0 where there is no `/proc/stat`.
 */
export function coreMicros(core: number): number {
  let stat: string
  try {
    stat = readFileSync('/proc/stat', 'utf8')
  } catch {
    return 0
  }
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(stat)?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) * 10_000
}
