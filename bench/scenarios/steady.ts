import { SPREAD_CHANNELS, SPREAD_EACH } from '../load/spread.js'
import { Rig } from '../rig/rig.js'
import type { FigureSpec, Scenario } from './scenario.js'

const MS = 1000
const PART = 'steady'
/** How much faster it goes while the server warms up. */
const WARM_UP_PACE = 5
const SHARES = { p50: 0.5, p99: 0.99, 'p99.9': 0.999 } as const

/** A site on a usual day: many channels, each subscriber on a few of them, and messages at a pace that is no effort. */
export const steady: Scenario = {
  name: 'steady',
  describe: options =>
    `${options.pace} messages a second, ${messagesEach(options.pace, options.seconds)} to each of ${SPREAD_CHANNELS} channels; ${options.connections} subscribers, each on ${SPREAD_EACH} of them and its own`,
  figures: ({ pace }) => [
    ...Object.keys(SHARES).map(
      (share): FigureSpec => ({
        name: `publish to read, ${share}`,
        unit: 'ms',
        better: 'lower',
        part: PART,
        whenLoadBound: 'bound',
        ...(share === 'p99'
          ? {
              goals: [{ kind: 'ratio-at-most', to: 'nchan', value: 1 }],
              headline: `${pace} messages/s over ${SPREAD_CHANNELS} channels: p99 from publish to read`,
            }
          : {}),
      }),
    ),
    { name: 'processor time of the server', unit: '%', better: 'lower', part: PART, whenLoadBound: 'bound' },
  ],
  async measure(setting, peer, options) {
    const rig = await Rig.start(setting, peer, { count: options.connections, audience: 'spread' })
    await rig.connect(options.window)
    const targets = Array.from({ length: SPREAD_CHANNELS }, (_, channel) => ({ channel: `c${channel}` }))
    const publication = { targets, textBytes: options.text }
    const { pace, seconds, warmup } = options
    if (warmup > 0) {
      setting.progress.update(`${PART}: warms up`)
      const faster = pace * WARM_UP_PACE
      await rig.publish({ ...publication, pace: faster, messages: messagesEach(faster, warmup) })
    }
    await rig.idle()
    const messages = messagesEach(pace, seconds)
    const { latency, effort } = await rig.publish({ ...publication, pace, messages })
    await rig.stop()
    return {
      values: {
        ...Object.fromEntries(
          Object.entries(SHARES).map(([name, share]) => [
            `publish to read, ${name}`,
            latency.quantile(share) / MS,
          ]),
        ),
        'processor time of the server': (100 * effort.serverMicros) / effort.wallMicros,
      },
      efforts: { [PART]: effort },
      faults: rig.faults,
    }
  },
}

function messagesEach(pace: number, seconds: number): number {
  return Math.max(1, Math.round((pace * seconds) / SPREAD_CHANNELS))
}
