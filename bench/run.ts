import type { Options } from './options.js'
import type { Peer } from './peers/peer.js'
import type { Rounds } from './report/summary.js'
import type { RigSetting } from './rig/rig.js'
import type { Measurement, Scenario } from './scenarios/scenario.js'

/**
 * Runs a scenario: every server in every round, in turn, and in the opposite order in every second round, so that a machine
 * that gets slower (or faster) meanwhile favours nobody.
 */
export async function runScenario(
  scenario: Scenario,
  peers: readonly Peer[],
  setting: RigSetting,
  options: Options,
): Promise<Rounds> {
  const rounds = new Map<string, Measurement[]>(peers.map(peer => [peer.name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      setting.progress.begin(`${scenario.name}, round ${round + 1} of ${options.rounds}, ${peer.name}`)
      rounds.get(peer.name)?.push(await scenario.measure(setting, peer, options))
    }
  }
  setting.progress.end()
  return rounds
}
