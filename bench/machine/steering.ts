import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const LOOPBACK_QUEUES = '/sys/class/net/lo/queues'

/** What came of {@link steerLoopback}. */
export interface Steering {
  /** Why the loopback is not steered; `undefined` if it is. */
  readonly missing: string | undefined
  /** Makes everything as it was. May be called again, and at any time. */
  restore(): void
}

/**
 * Lets a core do the receiving half of all that goes over the loopback, until it is restored.
 *
 * Between two machines, each does its own half of TCP. On the loopback the kernel does the receiver's on the core that has
 * sent, so a server that sends to 10,000 subscribers does their half as well; receive packet steering moves it to theirs.
 * The kernel cannot tell the directions apart: what the server receives (requests, acknowledgements) is moved, too.
 *
 * @param queues folder of the loopback's queues
 */
export function steerLoopback(core: number, queues = LOOPBACK_QUEUES): Steering {
  const before = new Map<string, string>()
  const restore = () => {
    for (const [path, mask] of before) writeFileSync(path, mask)
    before.clear()
  }
  try {
    for (const queue of readdirSync(queues).filter(name => name.startsWith('rx-'))) {
      const path = `${queues}/${queue}/rps_cpus`
      const mask = readFileSync(path, 'utf8')
      writeFileSync(path, maskOf(core))
      before.set(path, mask)
    }
  } catch (error) {
    restore()
    return { missing: error instanceof Error ? error.message : String(error), restore }
  }
  return { missing: before.size === 0 ? `${queues} has no queue` : undefined, restore }
}

/** The kernel's form of a set of one core: hexadecimal, in groups of 32 bits that are parted by commas. */
function maskOf(core: number): string {
  return ((1 << (core % 32)) >>> 0).toString(16) + ',00000000'.repeat(Math.floor(core / 32))
}
