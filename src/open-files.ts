import { readFileSync } from 'node:fs'

/** Files that are not connections: the log, libraries, sockets to the CMS, and room to accept and refuse. */
const reserve = 200

/**
 * How many connections the open-files limit of this process allows; Infinity where the system does not say.
 *
 * Source: proc(5), /proc/self/limits. Node itself raises the soft limit to the hard one at start.
 */
export function connectionsAllowed(): number {
  let limits: string
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return Number.POSITIVE_INFINITY
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Number(soft) - reserve)
}
