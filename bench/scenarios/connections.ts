import { nodeVersion } from '../machine/machine.js'
import { Rig } from '../rig/rig.js'
import type { Scenario } from './scenario.js'

const MS = 1000
const KB = 1024

/** How fast connections are taken, each with a token of its own that is asked about, and what they cost while idle. */
export const connections: Scenario = {
  name: 'connections',
  describe: ({ connections, window, settle }) =>
    `${connections} connections, ${window} being opened at a time, each with its own token, or as many as server and machine take; then ${settle} s of rest, one broadcast, and the same rest again`,
  figures: ({ node }) => [
    { name: 'connections', unit: 'reached', better: 'higher' },
    {
      name: 'connects',
      unit: '/s',
      better: 'higher',
      part: 'ramp',
      whenLoadBound: 'refuse',
      headline: 'connects, each with a token that is asked about',
    },
    { name: 'connect, median', unit: 'ms', better: 'lower', part: 'ramp', whenLoadBound: 'refuse' },
    { name: 'connect, p99', unit: 'ms', better: 'lower', part: 'ramp', whenLoadBound: 'refuse' },
    { name: 'memory a connection, after the ramp', unit: 'KB', better: 'lower' },
    {
      name: 'memory a connection, idle',
      unit: 'KB',
      better: 'lower',
      goals: [{ kind: 'at-most', value: nodeVersion(node).startsWith('v20.') ? 10 : 12 }],
      headline: 'memory of an idle connection',
    },
    { name: 'memory of the server without connections', unit: 'MB', better: 'lower' },
  ],
  async measure(setting, peer, { connections, window, settle, text }) {
    const rig = await Rig.start(setting, peer, { count: connections })
    const before = rig.memoryBytes()
    const ramp = await rig.connect(window, true)
    const afterRamp = rig.memoryBytes()
    // Twice, because V8 collects what the ramp has left some time between 10 s and 100 s after it: earlier, one measures luck.
    await rig.rest(settle * 1000)
    await rig.publish({ targets: ['all'], messages: 1, textBytes: text })
    await rig.rest(settle * 1000)
    const idle = rig.memoryBytes()
    await rig.stop()
    return {
      values: {
        connections: ramp.connected,
        connects: ramp.connected / (ramp.micros / 1e6),
        'connect, median': ramp.latency.quantile(0.5) / MS,
        'connect, p99': ramp.latency.quantile(0.99) / MS,
        'memory a connection, after the ramp': (afterRamp - before) / ramp.connected / KB,
        'memory a connection, idle': (idle - before) / ramp.connected / KB,
        'memory of the server without connections': before / KB / KB,
      },
      efforts: { ramp: ramp.effort },
      faults: rig.faults,
    }
  },
}
