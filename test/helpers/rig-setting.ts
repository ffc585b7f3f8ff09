import type { Programs } from '../../bench/machine/programs.js'
import { Progress } from '../../bench/rig/progress.js'
import type { RigSetting } from '../../bench/rig/rig.js'

/** What a rig of the bench needs, on any machine: nothing is pinned or steered, and it waits for `patienceMs` at most. */
export function rigSetting(programs: Programs, patienceMs: number): RigSetting {
  return {
    cores: undefined,
    node: process.execPath,
    programs,
    progress: new Progress(),
    withoutSteering: work => work(),
    patienceMs,
  }
}
