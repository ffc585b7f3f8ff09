import type { AskedReport } from '../load/protocol.js'
import { type Effort, withoutVainPolls } from './effort.js'
import type { Publication } from './publication.js'
import type { Collected, Return } from './readers.js'
import type { Rig } from './rig.js'

/** What came of an absence. */
export interface Absence {
  readonly back: Return
  readonly collected: Collected
  /** From the first one's return until all had what they had missed, or had been told that it is gone. */
  readonly caughtUpMicros: number
  /** From the server's death until it served again; 0 without one. */
  readonly restartMicros: number
  /** What the CMS was asked, by those who returned. */
  readonly asked: AskedReport
  /** From the first one's return until all had caught up. */
  readonly effort: Effort
}

/** How the subscribers go away, and come again. */
export interface AbsencePlan {
  /** What is published meanwhile. */
  readonly missed: Publication
  /** Because they are cut off, or because the server is killed. */
  readonly cause: 'cut' | 'crash'
  /** Within how many ms all return. */
  readonly spreadMs: number
  /** How many ms the CMS takes for an answer. */
  readonly authMs: number
}

/**
 * All subscribers go away, miss something, and return with their cursors.
 *
 * After a crash a subscriber must have been told of a gap, or get all that it has missed: nothing is lost silently.
 *
 * @throws Error if the server refuses what is published, or some that returned were refused for good
 */
export async function spendAbsence(rig: Rig, plan: AbsencePlan): Promise<Absence> {
  await rig.begin(plan.missed, plan.cause === 'crash')
  const leftAt = performance.now()
  if (plan.cause === 'crash') await rig.crash()
  else await rig.cut()
  const restartMicros = plan.cause === 'crash' ? (performance.now() - leftAt) * 1e3 : 0
  await rig.send(plan.missed)
  await rig.idle()
  await rig.askAuth(plan.authMs)
  const stopEffort = rig.startEffort()
  const back = await rig.return(plan.spreadMs)
  if (back.failed > 0) throw new Error(`${back.failed} could not return, the first with: ${back.failure}`)
  await rig.settled()
  const effort = stopEffort()
  const collected = await rig.collect()
  const caughtUpMicros = Math.max(back.lastMicros, collected.lastMicros) - (back.lastMicros - back.micros)
  return {
    back,
    collected,
    caughtUpMicros,
    restartMicros,
    asked: await rig.askAuth(0),
    effort: withoutVainPolls({ ...effort, wallMicros: caughtUpMicros }, collected.workedMicros),
  }
}
