import { connections } from './connections.js'
import { fanOut } from './fan-out.js'
import { poll } from './poll.js'
import { resume } from './resume.js'
import type { Scenario } from './scenario.js'
import { steady } from './steady.js'
import { storm } from './storm.js'
import { throughput } from './throughput.js'

/** Everything that can be run, in the order in which it is. A new scenario is a file and a line here. */
export const SCENARIOS: readonly Scenario[] = [connections, fanOut, throughput, steady, poll, storm, resume]
