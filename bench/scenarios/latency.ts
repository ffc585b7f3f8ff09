import type { Delivery } from '../rig/rig.js'
import { median } from '../statistics.js'
import type { FigureSpec } from './scenario.js'

const MS = 1000

/** The times of a lone broadcast, in the order of the table, and how each is read from what came of it. */
const TIMES: Readonly<Record<string, (delivery: Delivery) => number>> = {
  first: ({ latency }) => latency.minMicros / MS,
  median: ({ latency }) => latency.quantile(0.5) / MS,
  p99: ({ latency }) => latency.quantile(0.99) / MS,
  last: ({ latency }) => latency.maxMicros / MS,
}

/** What a broadcast took until the first had it, the middle one, 99 of 100, and the last. */
export function broadcastFigures(part: string): readonly FigureSpec[] {
  return Object.keys(TIMES).map(what => ({
    name: `${part}: ${what}`,
    unit: 'ms',
    better: 'lower',
    part,
    whenLoadBound: 'bound',
  }))
}

/** The same of several broadcasts: of each time, the median. */
export function broadcastValues(part: string, deliveries: readonly Delivery[]): Record<string, number> {
  return Object.fromEntries(
    Object.entries(TIMES).map(([what, read]) => [`${part}: ${what}`, median(deliveries.map(read))]),
  )
}
