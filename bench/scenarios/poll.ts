import { addEfforts } from '../rig/effort.js'
import { type Delivery, Rig } from '../rig/rig.js'
import { broadcastFigures, broadcastValues } from './latency.js'
import type { Scenario } from './scenario.js'
import { sharedTargets } from './targets.js'

const LONE = 'lone broadcast'
const FLOOD = 'flood'
/** Messages a second that keep all pollers busy: more than a server can answer one by one to thousands of them. */
const FLOOD_PACE = 20

/** Subscribers that ask again as soon as they are answered. */
export const poll: Scenario = {
  name: 'poll',
  needsNativeReader: true,
  describe: ({ connections, broadcasts, flood }) =>
    `${broadcasts} lone broadcasts to ${connections} long-pollers; then ${FLOOD_PACE} messages a second to all of them for ${flood} s, so that they are always on their way`,
  figures: ({ connections }) => [
    ...broadcastFigures(LONE),
    {
      name: `${FLOOD}: answers`,
      unit: '/s',
      better: 'higher',
      part: FLOOD,
      whenLoadBound: 'bound',
      headline: `${connections.toLocaleString('en-US')} long-pollers: answers`,
    },
    // An answer of ours holds all that has come, one of Nchan's a single message.
    {
      name: `${FLOOD}: deliveries`,
      unit: '/s',
      better: 'higher',
      part: FLOOD,
      whenLoadBound: 'bound',
      headline: `${connections.toLocaleString('en-US')} long-pollers: deliveries`,
    },
  ],
  async measure(setting, peer, { connections, window, broadcasts, flood, text }) {
    const rig = await Rig.start(setting, peer, { count: connections, kind: 'poll' })
    await rig.connect(window)
    const deliveries: Delivery[] = []
    for (let done = 0; done <= broadcasts; done++) {
      // Until all have asked again: who has not is told late, and would be counted as if the server had been slow.
      await rig.idle()
      deliveries.push(await rig.publish({ targets: ['all'], messages: 1, textBytes: text }))
    }
    // The first has warmed up.
    deliveries.shift()
    await rig.idle()
    const targets = sharedTargets(1)
    const messages = Math.max(1, Math.round(flood * FLOOD_PACE))
    const flooded = await rig.publish({ targets, messages, textBytes: text, pace: FLOOD_PACE })
    await rig.stop()
    return {
      values: {
        ...broadcastValues(LONE, deliveries),
        [`${FLOOD}: answers`]: flooded.answers / (flooded.micros / 1e6),
        [`${FLOOD}: deliveries`]: flooded.deliveries / (flooded.micros / 1e6),
      },
      efforts: { [LONE]: addEfforts(deliveries.map(({ effort }) => effort)), [FLOOD]: flooded.effort },
      faults: rig.faults,
    }
  },
}
