import { connections } from './connections.js'
import { fanOut } from './fan-out.js'
import type { Scenario } from './scenario.js'

/** Everything that can be run. A new scenario is a file and a line here. */
export const SCENARIOS: readonly Scenario[] = [connections, fanOut]
