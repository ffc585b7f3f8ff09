import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Where the kernel keeps what is changed here. */
const KERNEL = {
  queues: '/sys/class/net/lo/queues',
  backlog: '/proc/sys/net/core/netdev_max_backlog',
} as const

/**
 * Packets that may wait for the core that they were steered to. With the kernel's 1,000, a broadcast to 10,000 lost some
 * hundreds there, and what was measured was TCP's repeating them.
 */
const BACKLOG = 100_000

/** What came of {@link steerLoopback}. */
export interface Steering {
  /** Why the loopback is not steered; `undefined` if it is. */
  readonly missing: string | undefined
  /** Makes everything as it was. May be called again, and at any time. */
  restore(): void
  /** Steers again what was restored. */
  again(): Steering
}

/**
 * Lets a core do the receiving half of all that goes over the loopback, until it is restored.
 *
 * Between two machines, each does its own half of TCP. On the loopback the kernel does the receiver's on the core that has
 * sent, so a server that sends to 10,000 subscribers does their half as well; receive packet steering moves it to theirs.
 *
 * It moves what the server receives, too: acknowledgements, which between two machines were its own to read. The figures
 * are too good by that, as those without steering are too bad. Receive flow steering would put each half where it belongs;
 * it was slower than none at all, presumably since each acknowledgement then interrupts another core.
 */
export function steerLoopback(core: number, kernel: Record<keyof typeof KERNEL, string> = KERNEL): Steering {
  const { queues, backlog } = kernel
  const before = new Map<string, string>()
  const change = (path: string, to: (value: string) => string) => {
    const value = readFileSync(path, 'utf8')
    writeFileSync(path, to(value))
    before.set(path, value)
  }
  const restore = () => {
    for (const [path, value] of before) writeFileSync(path, value)
    before.clear()
  }
  const again = () => steerLoopback(core, kernel)
  try {
    const names = queuesIn(queues)
    if (names.length === 0) throw new Error(`${queues} has no queue`)
    change(backlog, value => String(Math.max(Number(value), BACKLOG)))
    for (const name of names) change(`${queues}/${name}/rps_cpus`, () => maskOf(core))
  } catch (error) {
    restore()
    return { missing: error instanceof Error ? error.message : String(error), restore, again }
  }
  return { missing: undefined, restore, again }
}

/**
 * What steers the loopback before anything is changed here: a benchmark that runs, or one that was killed. `undefined`: nothing does,
 * as far as one can see.
 */
export function steeredAlready({ queues }: Record<keyof typeof KERNEL, string> = KERNEL): string | undefined {
  try {
    for (const name of queuesIn(queues)) {
      const path = `${queues}/${name}/rps_cpus`
      if (/[^0,\s]/.test(readFileSync(path, 'utf8'))) return path
    }
  } catch {
    // Where it cannot be read, it cannot have been changed by one of us.
  }
  return undefined
}

function queuesIn(folder: string): string[] {
  return readdirSync(folder).filter(name => name.startsWith('rx-'))
}

/** The kernel's form of a set of one core: hexadecimal, in groups of 32 bits that are parted by commas. */
function maskOf(core: number): string {
  return ((1 << (core % 32)) >>> 0).toString(16) + ',00000000'.repeat(Math.floor(core / 32))
}
