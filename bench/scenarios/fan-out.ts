import { addEfforts } from '../rig/effort.js'
import { type Delivery, Rig } from '../rig/rig.js'
import { median } from '../statistics.js'
import { broadcastFigures, broadcastValues } from './latency.js'
import { livenessFigures, measureLiveness } from './liveness.js'
import type { Scenario } from './scenario.js'

const WARM_UP_BROADCASTS = 3
const LONE = 'lone broadcast'

/** One broadcast to many, and what it does to others that ask the server something meanwhile. */
export const fanOut: Scenario = {
  name: 'fan-out',
  describe: ({ connections, broadcasts }) => `${broadcasts} lone broadcasts to ${connections} subscribers`,
  figures: ({ connections }) => [
    {
      name: `${LONE}: rate`,
      unit: '/s',
      better: 'higher',
      part: LONE,
      whenLoadBound: 'bound',
      goals: [
        { kind: 'ratio-at-least', to: 'nchan', value: 1.4 },
        { kind: 'ratio-at-least', to: 'naive', value: 4 },
      ],
      headline: `lone broadcast to ${connections.toLocaleString('en-US')}: deliveries until the last has it`,
    },
    ...broadcastFigures(LONE),
    ...livenessFigures(),
  ],
  async measure(setting, peer, { connections, window, broadcasts, pause, text }) {
    const rig = await Rig.start(setting, peer, { count: connections })
    await rig.connect(window)
    const broadcast = { targets: ['all'], messages: 1, textBytes: text } as const
    for (let done = 0; done < WARM_UP_BROADCASTS; done++) await rig.publish(broadcast)
    const deliveries: Delivery[] = []
    for (let done = 0; done < broadcasts; done++) {
      await rig.rest(pause * 1000)
      deliveries.push(await rig.publish(broadcast))
    }
    const liveness = await measureLiveness(rig, setting, 2 * broadcasts, text)
    await rig.stop()
    const rates = deliveries.map(({ deliveries, micros }) => deliveries / (micros / 1e6))
    return {
      values: { [`${LONE}: rate`]: median(rates), ...broadcastValues(LONE, deliveries), ...liveness.values },
      efforts: { [LONE]: addEfforts(deliveries.map(delivery => delivery.effort)), ...liveness.efforts },
      faults: rig.faults,
    }
  },
}
