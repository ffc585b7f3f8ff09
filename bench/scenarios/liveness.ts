import type { Effort } from '../rig/effort.js'
import { Probe } from '../rig/probe.js'
import type { Rig, RigSetting } from '../rig/rig.js'
import type { FigureSpec } from './scenario.js'

const MS = 1000
const PART = '/healthz while broadcasting'
/** How often a second something is broadcast meanwhile: often enough that the server does little else. */
const BROADCASTS_A_SECOND = 8
const ASK_EVERY_MS = 10

/** How long somebody else has to wait for an answer while the server broadcasts. */
export function livenessFigures(): readonly FigureSpec[] {
  const spec = { unit: 'ms', better: 'lower' } as const
  return [
    {
      name: `${PART}: worst`,
      ...spec,
      part: PART,
      goals: [{ kind: 'at-most', value: 20 }],
      headline: 'a question about its health while it broadcasts, worst',
    },
    { name: `${PART}: p99`, ...spec, part: PART },
    { name: `${PART}: worst delay of the one who asks`, ...spec },
  ]
}

/** What came of asking, by name of the figure and of the part: nothing of a server that cannot be asked. */
export interface Liveness {
  readonly values: Readonly<Record<string, number>>
  readonly efforts: Readonly<Record<string, Effort>>
}

/**
 * Asks the server every 10 ms whether it is alive while it broadcasts to all.
 *
 * Without steering: with it, the question and its answer would wait behind the broadcast's packets for the load's core, where
 * between two machines nothing waits.
 *
 * @throws Error if one of the questions is not answered
 */
export function measureLiveness(
  rig: Rig,
  setting: RigSetting,
  broadcasts: number,
  textBytes: number,
): Promise<Liveness> {
  return setting.withoutSteering(async () => {
    await rig.idle()
    const probe = await Probe.start(setting, rig.server, ASK_EVERY_MS)
    if (probe === undefined) return { values: {}, efforts: {} }
    const publication = { targets: ['all'], messages: broadcasts, textBytes } as const
    const { effort } = await rig.publish({ ...publication, pace: BROADCASTS_A_SECOND })
    const { asked, refused, latency, lateness } = await probe.stop()
    if (refused > 0) throw new Error(`${refused} of ${asked} times the server did not say that it is alive`)
    return {
      values: {
        [`${PART}: worst`]: latency.maxMicros / MS,
        [`${PART}: p99`]: latency.quantile(0.99) / MS,
        [`${PART}: worst delay of the one who asks`]: lateness.maxMicros / MS,
      },
      efforts: { [PART]: effort },
    }
  })
}
