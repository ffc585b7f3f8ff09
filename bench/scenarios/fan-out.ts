import { setTimeout as sleep } from 'node:timers/promises'
import { SHARED_CHANNELS } from '../load/auth-server.js'
import { addFaults } from '../load/faults.js'
import type { Options } from '../options.js'
import type { Peer, Target } from '../peers/peer.js'
import { addEfforts } from '../rig/effort.js'
import { type Delivery, Rig, type RigSetting } from '../rig/rig.js'
import { median } from '../statistics.js'
import type { FigureSpec, Measurement, Scenario } from './scenario.js'

const MS = 1000
const WARM_UP_BROADCASTS = 3

const LONE = 'lone broadcast'
const lone = (what: string) => `${LONE}: ${what}`
const several = (publishers: number) => (publishers === 1 ? '1 publisher' : `${publishers} publishers`)

/** One broadcast to many; and as much as publishers can send, each of which waits for its answer. */
export const fanOut: Scenario = {
  name: 'fan-out',
  describe: ({ connections, broadcasts, subscribers, publishers, messages }) =>
    `${broadcasts} lone broadcasts to ${connections} subscribers; ${messages} messages to ${subscribers} subscribers from ${publishers.join(' and ')} publishers`,
  figures,
  async measure(setting, peer, options) {
    const broadcasts = await measureLoneBroadcasts(setting, peer, options)
    const throughput = await measureThroughput(setting, peer, options)
    return {
      values: { ...broadcasts.values, ...throughput.values },
      efforts: { ...broadcasts.efforts, ...throughput.efforts },
      faults: addFaults(broadcasts.faults, throughput.faults),
    }
  },
}

function figures({ publishers }: Options): readonly FigureSpec[] {
  const times = ['first', 'median', 'p99', 'last'].map(
    (what): FigureSpec => ({
      name: lone(what),
      unit: 'ms',
      better: 'lower',
      part: LONE,
      whenLoadBound: 'bound',
    }),
  )
  return [
    {
      name: lone('rate'),
      unit: '/s',
      better: 'higher',
      part: LONE,
      whenLoadBound: 'bound',
      goal: { kind: 'ratio-at-least', to: 'naive', value: 4 },
    },
    ...times,
    ...publishers.flatMap((count): FigureSpec[] => {
      const part = several(count)
      return [
        {
          name: `${part}: deliveries`,
          unit: '/s',
          better: 'higher',
          part,
          whenLoadBound: 'bound',
          ...(count === 16 ? { goal: { kind: 'ratio-at-least', to: 'naive', value: 15 } } : {}),
        },
        { name: `${part}: median`, unit: 'ms', better: 'lower', part, whenLoadBound: 'bound' },
        {
          name: `${part}: p99`,
          unit: 'ms',
          better: 'lower',
          part,
          whenLoadBound: 'bound',
          ...(count === 16 ? { goal: { kind: 'ratio-at-most', to: 'naive', value: 1 } } : {}),
        },
      ]
    }),
  ]
}

async function measureLoneBroadcasts(
  setting: RigSetting,
  peer: Peer,
  options: Options,
): Promise<Measurement> {
  const rig = await connectedRig(setting, peer, options.connections, options)
  const broadcast = { targets: ['all'] as const, messages: 1, textBytes: options.text }
  for (let done = 0; done < WARM_UP_BROADCASTS; done++) await rig.publish(broadcast)
  const deliveries: Delivery[] = []
  for (let done = 0; done < options.broadcasts; done++) {
    await sleep(options.pause * 1000)
    deliveries.push(await rig.publish(broadcast))
  }
  await rig.stop()
  const typical = (figure: (delivery: Delivery) => number) => median(deliveries.map(figure))
  return {
    values: {
      [lone('rate')]: typical(({ deliveries, micros }) => deliveries / (micros / 1e6)),
      [lone('first')]: typical(({ latency }) => latency.minMicros / MS),
      [lone('median')]: typical(({ latency }) => latency.quantile(0.5) / MS),
      [lone('p99')]: typical(({ latency }) => latency.quantile(0.99) / MS),
      [lone('last')]: typical(({ latency }) => latency.maxMicros / MS),
    },
    efforts: { [LONE]: addEfforts(deliveries.map(delivery => delivery.effort)) },
    faults: rig.faults,
  }
}

async function measureThroughput(setting: RigSetting, peer: Peer, options: Options): Promise<Measurement> {
  const rig = await connectedRig(setting, peer, options.subscribers, options)
  const values: Record<string, number> = {}
  const efforts: Record<string, Delivery['effort']> = {}
  for (const publishers of options.publishers) {
    const targets = Array.from({ length: publishers }, (_, index) => sharedChannel(index))
    const messages = Math.max(1, Math.round(options.messages / publishers))
    const part = several(publishers)
    setting.progress.update(`${part}: warms up`)
    await rig.publish({ targets, messages: Math.ceil(messages / 10), textBytes: options.text })
    const { deliveries, micros, latency, effort } = await rig.publish({
      targets,
      messages,
      textBytes: options.text,
    })
    values[`${part}: deliveries`] = deliveries / (micros / 1e6)
    values[`${part}: median`] = latency.quantile(0.5) / MS
    values[`${part}: p99`] = latency.quantile(0.99) / MS
    efforts[part] = effort
  }
  await rig.stop()
  return { values, efforts, faults: rig.faults }
}

async function connectedRig(setting: RigSetting, peer: Peer, count: number, options: Options): Promise<Rig> {
  const rig = await Rig.start(setting, peer, count)
  await rig.connect(options.window)
  return rig
}

function sharedChannel(index: number): Target {
  return { channel: SHARED_CHANNELS[index % SHARED_CHANNELS.length] ?? SHARED_CHANNELS[0] }
}
