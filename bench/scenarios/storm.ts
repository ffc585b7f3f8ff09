import { SHARED_CHANNELS } from '../load/auth-server.js'
import { spendAbsence } from '../rig/absence.js'
import { Rig } from '../rig/rig.js'
import type { FigureSpec, Scenario } from './scenario.js'
import { sharedTargets } from './targets.js'

const SECOND = 1e6
const CUT = 'cut off'
const KILL = 'killed'

/**
 * Everybody returns at once, with a cursor and many missed messages: after all connections were cut, and after the server was
 * killed and started anew.
 *
 * A server that keeps its log in memory has lost it then: each subscriber must be told so by a `gap`. One that has it on disk
 * delivers instead. Either is right; a subscriber that gets neither has lost messages, and the run fails.
 */
export const storm: Scenario = {
  name: 'storm',
  needsNativeReader: true,
  describe: ({ connections, missed, spread, cms }) =>
    `${connections} subscribers are cut off, miss ${missed} messages and return within ${spread} s; then the server is killed and started, takes as many messages, and they return again, with a CMS that takes ${cms} ms to say who somebody is`,
  figures: ({ connections, missed }) => [
    {
      ...figure(CUT, 'until all have caught up', 's'),
      headline: `${connections.toLocaleString('en-US')} return with ${missed.toLocaleString('en-US')} missed messages each: until all have caught up`,
    },
    figure(CUT, 'deliveries', '/s', 'higher'),
    figure(CUT, 'turned away', 'times'),
    figure(CUT, 'the CMS was asked', 'times'),
    figure(KILL, 'until it serves again', 's'),
    figure(KILL, 'until all are back', 's'),
    figure(KILL, 'turned away', 'times'),
    figure(KILL, 'the CMS was asked', 'times'),
    figure(KILL, 'the CMS was asked, peak', '/s'),
    figure(KILL, 'the CMS was asked, at once', 'times'),
    figure(KILL, 'told of a gap', 'subscribers'),
  ],
  async measure(setting, peer, { connections, window, missed, spread, cms, text }) {
    const rig = await Rig.start(setting, peer, { count: connections })
    await rig.connect(window)
    const each = Math.max(1, Math.round(missed / SHARED_CHANNELS.length))
    const plan = {
      missed: { targets: sharedTargets(SHARED_CHANNELS.length), messages: each, textBytes: text },
      spreadMs: Math.round(spread * 1000),
      authMs: cms,
    }
    const cut = await spendAbsence(rig, { ...plan, cause: 'cut' })
    const killed = await spendAbsence(rig, { ...plan, cause: 'crash' })
    // Those who are back are all there.
    await rig.publish({ targets: ['all'], messages: 1, textBytes: text })
    await rig.stop()
    return {
      values: {
        [`${CUT}: until all have caught up`]: cut.caughtUpMicros / SECOND,
        [`${CUT}: deliveries`]: cut.collected.delivered / (cut.caughtUpMicros / SECOND),
        [`${CUT}: turned away`]: cut.back.turnedAway,
        [`${CUT}: the CMS was asked`]: cut.asked.calls,
        [`${KILL}: until it serves again`]: killed.restartMicros / SECOND,
        [`${KILL}: until all are back`]: killed.caughtUpMicros / SECOND,
        [`${KILL}: turned away`]: killed.back.turnedAway,
        [`${KILL}: the CMS was asked`]: killed.asked.calls,
        [`${KILL}: the CMS was asked, peak`]: killed.asked.peak,
        [`${KILL}: the CMS was asked, at once`]: killed.asked.mostAtOnce,
        [`${KILL}: told of a gap`]: killed.collected.gapped,
      },
      efforts: { [CUT]: cut.effort, [KILL]: killed.effort },
      faults: rig.faults,
    }
  },
}

function figure(
  part: string,
  what: string,
  unit: string,
  better: FigureSpec['better'] = 'lower',
): FigureSpec {
  return { name: `${part}: ${what}`, unit, better, part, whenLoadBound: 'bound' }
}
