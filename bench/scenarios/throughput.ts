import type { Options } from '../options.js'
import type { Effort } from '../rig/effort.js'
import { Rig } from '../rig/rig.js'
import type { FigureSpec, Goal, Scenario } from './scenario.js'
import { sharedTargets } from './targets.js'

const MS = 1000
/** The number of publishers that goals are set for. */
const CLAIMED = 16
const RATE_GOALS: readonly Goal[] = [
  { kind: 'ratio-at-least', to: 'nchan', value: 9 },
  { kind: 'ratio-at-least', to: 'socket.io', value: 18 },
  { kind: 'ratio-at-least', to: 'naive', value: 15 },
]
const DELAY_GOALS: readonly Goal[] = [
  { kind: 'ratio-at-most', to: 'nchan', value: 1 },
  { kind: 'ratio-at-most', to: 'naive', value: 1 },
]
const several = (publishers: number) => (publishers === 1 ? '1 publisher' : `${publishers} publishers`)

/** As much as publishers can send, each of which waits for its answer. */
export const throughput: Scenario = {
  name: 'throughput',
  describe: ({ subscribers, publishers, messages }) =>
    `${messages} messages to ${subscribers} subscribers from ${publishers.join(', ')} publishers`,
  figures,
  async measure(setting, peer, { subscribers, window, publishers, messages, text }) {
    const rig = await Rig.start(setting, peer, { count: subscribers })
    await rig.connect(window)
    const values: Record<string, number> = {}
    const efforts: Record<string, Effort> = {}
    for (const count of publishers) {
      const part = several(count)
      const each = Math.max(1, Math.round(messages / count))
      const publication = { targets: sharedTargets(count), textBytes: text }
      setting.progress.update(`${part}: warms up`)
      await rig.publish({ ...publication, messages: Math.ceil(each / 10) })
      const { deliveries, micros, latency, effort } = await rig.publish({ ...publication, messages: each })
      values[`${part}: deliveries`] = deliveries / (micros / 1e6)
      values[`${part}: median`] = latency.quantile(0.5) / MS
      values[`${part}: p99`] = latency.quantile(0.99) / MS
      efforts[part] = effort
    }
    await rig.stop()
    return { values, efforts, faults: rig.faults }
  },
}

function figures({ publishers, subscribers }: Options): readonly FigureSpec[] {
  return publishers.flatMap((count): FigureSpec[] => {
    const part = several(count)
    const spec = { part, whenLoadBound: 'bound' } as const
    const isClaimed = count === CLAIMED
    const what = `${count} publishers, ${subscribers.toLocaleString('en-US')} subscribers`
    return [
      {
        name: `${part}: deliveries`,
        unit: '/s',
        better: 'higher',
        ...spec,
        ...(isClaimed ? { goals: RATE_GOALS, headline: `${what}: deliveries` } : {}),
      },
      { name: `${part}: median`, unit: 'ms', better: 'lower', ...spec },
      {
        name: `${part}: p99`,
        unit: 'ms',
        better: 'lower',
        ...spec,
        ...(isClaimed ? { goals: DELAY_GOALS, headline: `${what}: p99 from publish to read` } : {}),
      },
    ]
  })
}
