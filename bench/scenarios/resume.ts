import { SHARED_CHANNELS } from '../load/auth-server.js'
import { addFaults, type Faults } from '../load/faults.js'
import type { Options } from '../options.js'
import type { Message, Peer } from '../peers/peer.js'
import { spendAbsence } from '../rig/absence.js'
import type { Effort } from '../rig/effort.js'
import { dataOf } from '../rig/publication.js'
import { Rig, type RigSetting } from '../rig/rig.js'
import type { Scenario } from './scenario.js'
import { sharedTargets } from './targets.js'

const MS = 1000
/** Between two that return, so that each is a resume of its own and no crowd. */
const RETURN_EVERY_MS = 30
/**
 * Ten times the history may cost so much more: the collector of a larger heap has more to do. A resume that read through the
 * history would cost several times as much.
 */
const MOST_GROWTH = 1.5

const nothing = (stored: number) => `a return with nothing missed among ${stored.toLocaleString('en-US')}`

const among = (missed: number, stored: number) =>
  `a resume of ${missed.toLocaleString('en-US')} among ${stored.toLocaleString('en-US')}`
const historiesOf = ({ stored }: Options) => [Math.round(stored / 10), stored] as const

/** What one resume costs the server, and whether that depends on how much else it has stored. */
export const resume: Scenario = {
  name: 'resume',
  needsNativeReader: true,
  describe: options =>
    `${options.resumes} subscribers return one after the other, each with ${options.missed} missed messages of its channels among ${historiesOf(options).join(' and ')} stored ones`,
  figures: options => {
    const [few, many] = historiesOf(options)
    const cost = { unit: 'ms CPU', better: 'lower' } as const
    return [
      {
        name: among(options.missed, many),
        ...cost,
        goals: [{ kind: 'at-most', value: 5 }],
        headline: `${among(options.missed, many)} messages`,
      },
      { name: among(options.missed, few), ...cost },
      { name: nothing(many), ...cost },
      { name: nothing(few), ...cost },
      {
        name: `${among(options.missed, many)} against ${few.toLocaleString('en-US')}`,
        unit: '×',
        better: 'lower',
        goals: [{ kind: 'at-most', value: MOST_GROWTH }],
      },
    ]
  },
  async measure(setting, peer, options) {
    const [few, many] = historiesOf(options)
    const small = await measureHistory(setting, peer, options, few)
    const large = await measureHistory(setting, peer, options, many)
    const { missed } = options
    return {
      values: {
        [among(missed, many)]: large.resumeMs,
        [among(missed, few)]: small.resumeMs,
        [nothing(many)]: large.returnMs,
        [nothing(few)]: small.returnMs,
        [`${among(missed, many)} against ${few.toLocaleString('en-US')}`]: large.resumeMs / small.resumeMs,
      },
      efforts: { [`among ${few}`]: small.effort, [`among ${many}`]: large.effort },
      faults: addFaults(small.faults, large.faults),
    }
  },
}

/** What came of one history. */
interface History {
  /** Processor time of the server for one resume, in ms. */
  readonly resumeMs: number
  /** The same where nothing was missed. */
  readonly returnMs: number
  readonly effort: Effort
  readonly faults: Faults
}

async function measureHistory(
  setting: RigSetting,
  peer: Peer,
  options: Options,
  stored: number,
): Promise<History> {
  const { resumes, missed, window, text } = options
  const rig = await Rig.start(setting, peer, { count: resumes })
  await rig.connect(window)
  const sources = SHARED_CHANNELS.length
  const publication = {
    targets: sharedTargets(sources),
    messages: Math.max(1, Math.round(missed / sources)),
    textBytes: text,
  }
  const spreadMs = resumes * RETURN_EVERY_MS
  // The first one warms up. What it stores is part of the history, so that this ends with as much as it says.
  await spendAbsence(rig, { missed: publication, cause: 'cut', spreadMs, authMs: 0 })
  const others = fillers(Math.round((stored - missed) / missed) - 1, dataOf(text).replace('~', ' '))
  const { effort } = await spendAbsence(rig, {
    missed: { ...publication, others },
    cause: 'cut',
    spreadMs,
    authMs: 0,
  })
  const returnMicros = await measureReturn(rig, spreadMs)
  await rig.stop()
  return {
    resumeMs: effort.serverMicros / MS / resumes,
    returnMs: returnMicros / MS / resumes,
    effort,
    faults: rig.faults,
  }
}

/** Processor time of the server, in µs, while all return that have missed nothing. */
async function measureReturn(rig: Rig, spreadMs: number): Promise<number> {
  await rig.cut()
  await rig.idle()
  const stopEffort = rig.startEffort()
  await rig.return(spreadMs)
  return stopEffort().serverMicros
}

/** So many messages to channels that no subscriber is on. */
function fillers(count: number, data: string): readonly Message[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => ({ channel: `filler${index}`, data }))
}
