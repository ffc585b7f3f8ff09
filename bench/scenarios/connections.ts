import { addFaults, type Faults } from '../load/faults.js'
import { nodeVersion } from '../machine/machine.js'
import type { Options } from '../options.js'
import type { Peer } from '../peers/peer.js'
import { Rig, type RigSetting } from '../rig/rig.js'
import type { Scenario } from './scenario.js'

const MS = 1000
const KB = 1024
/**
 * How many times fewer connections tell what the server takes without them. One that has just started holds garbage, which it
 * collects only when it has something to do: less than that, connections would seem to cost next to nothing.
 */
const FEWER = 10

/** How fast connections are taken, each with a token of its own that is asked about, and what they cost while idle. */
export const connections: Scenario = {
  name: 'connections',
  describe: ({ connections, window, settle }) =>
    `${connections} connections, ${window} being opened at a time, each with its own token, or as many as server and machine take; then ${settle} s of rest, one broadcast, and the same rest again; before it the same with a tenth of them`,
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
    { name: 'memory of the server with all of them, idle', unit: 'MB', better: 'lower' },
  ],
  async measure(setting, peer, options) {
    const few = await measureCount(setting, peer, options, Math.ceil(options.connections / FEWER))
    const all = await measureCount(setting, peer, options, options.connections)
    const { ramp } = all
    const each = (stage: 'afterRamp' | 'idle') =>
      (all[stage] - few[stage]) / (ramp.connected - few.ramp.connected) / KB
    return {
      values: {
        connections: ramp.connected,
        connects: ramp.connected / (ramp.micros / 1e6),
        'connect, median': ramp.latency.quantile(0.5) / MS,
        'connect, p99': ramp.latency.quantile(0.99) / MS,
        'memory a connection, after the ramp': each('afterRamp'),
        'memory a connection, idle': each('idle'),
        'memory of the server with all of them, idle': all.idle / KB / KB,
      },
      efforts: { ramp: ramp.effort },
      faults: addFaults(few.faults, all.faults),
    }
  },
}

/** What came of so many connections. */
interface Counted {
  readonly ramp: Awaited<ReturnType<Rig['connect']>>
  /** Bytes of the server, as soon as all were there. */
  readonly afterRamp: number
  /** The same after rest, a broadcast and rest. */
  readonly idle: number
  readonly faults: Faults
}

async function measureCount(
  setting: RigSetting,
  peer: Peer,
  { window, settle, text }: Options,
  count: number,
): Promise<Counted> {
  const rig = await Rig.start(setting, peer, { count })
  const ramp = await rig.connect(window, true)
  const afterRamp = rig.memoryBytes()
  // Twice, because V8 collects what the ramp has left some time between 10 s and 100 s after it: earlier, one measures luck.
  await rig.rest(settle * 1000)
  await rig.publish({ targets: ['all'], messages: 1, textBytes: text })
  await rig.rest(settle * 1000)
  const idle = rig.memoryBytes()
  await rig.stop()
  return { ramp, afterRamp, idle, faults: rig.faults }
}
