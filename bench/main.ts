/** The benchmark's command line: `npm run bench -- SCENARIO [options]`; see README.md beside this file. */
import { killAllChildren } from './machine/child.js'
import { findCores, pinThisProcess } from './machine/cores.js'
import { describeMachine, nodeVersion } from './machine/machine.js'
import { compilePrograms, type Programs } from './machine/programs.js'
import { type Steering, steeredAlready, steerLoopback } from './machine/steering.js'
import { type Options, readOptions, UsageError, usage } from './options.js'
import { PEERS } from './peers/index.js'
import type { Peer } from './peers/peer.js'
import { saveResult } from './report/results.js'
import { summarize } from './report/summary.js'
import { formatSummary } from './report/table.js'
import { Progress } from './rig/progress.js'
import { runScenario } from './run.js'
import { SCENARIOS } from './scenarios/index.js'
import type { Scenario } from './scenarios/scenario.js'

const scenarioNames = SCENARIOS.map(scenario => scenario.name)
const peerNames = PEERS.map(peer => peer.name)

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(exitCode))
}
process.on('exit', killAllChildren)
let steering: Steering | undefined
process.on('exit', () => steering?.restore())

try {
  const options = readOptions(process.argv.slice(2), scenarioNames, peerNames)
  if (options === 'help') print(usage(scenarioNames, peerNames))
  else process.exitCode = (await bench(options)) ? 0 : 1
} catch (error) {
  if (error instanceof UsageError) print(`${error.message}\n\n${usage(scenarioNames, peerNames)}`)
  else process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
  process.exit(error instanceof UsageError ? 2 : 1)
}

/** Runs all that was asked for and says whether it may be believed. */
async function bench(options: Options): Promise<boolean> {
  const steered = steeredAlready()
  if (steered !== undefined) {
    throw new Error(
      `The loopback is steered already: a benchmark runs, or was killed. If none runs, put it back: echo 0 > ${steered}`,
    )
  }
  const cores = findCores()
  if (cores !== undefined) pinThisProcess(cores.load)
  const { node } = options
  const machine = describeMachine(cores, node)
  const programs = compilePrograms(options.reader)
  const peers = installedPeers(options, programs)
  const setting = { cores, programs, node, progress: new Progress(), withoutSteering, patienceMs: 20_000 }
  if (cores !== undefined && options.steering) steering = steerLoopback(cores.load)
  const load = {
    reader: programs.reader.kind,
    isSteered: steering !== undefined && steering.missing === undefined,
  }
  print(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}, ${machine.commit}`,
  )
  if (cores === undefined)
    print('Nothing is pinned to a core here: figures of different servers do not compare well.')
  print(describeReader(programs))
  print(describeSteering())
  if (node !== process.execPath) print(`The servers run on ${nodeVersion(node)}.`)
  for (const { name, describe } of peers) print(`${name}: ${describe()}`)
  let isValid = true
  for (const scenario of SCENARIOS.filter(({ name }) => options.scenarios.includes(name))) {
    if (scenario.needsNativeReader && programs.reader.kind !== 'native') {
      print(`\n${scenario.name} is left out: it needs the native reader.`)
      continue
    }
    const able = peers.filter(peer => isAble(peer, scenario, options))
    if (able.length === 0) continue
    const date = new Date().toISOString()
    print(`\n${scenario.name}: ${scenario.describe(options)}; ${options.rounds} rounds\n`)
    const rounds = await runScenario(scenario, able, setting, options)
    const summary = summarize(scenario.figures(options), rounds)
    print(formatSummary(summary, { verdicts: !options.smoke }))
    if (options.smoke) print('A smoke run: its figures mean nothing.')
    isValid &&= summary.failures.length === 0 && (options.smoke || summary.refusals.length === 0)
    if (!options.save) continue
    const servers = Object.fromEntries(able.map(({ name, describe }) => [name, describe()]))
    const path = saveResult({
      scenario: scenario.name,
      description: scenario.describe(options),
      date,
      machine,
      load,
      servers,
      parameters: options,
      summary,
      rounds: Object.fromEntries(rounds),
    })
    print(`Written to ${path}`)
  }
  return isValid
}

async function withoutSteering<Result>(work: () => Promise<Result>): Promise<Result> {
  steering?.restore()
  try {
    return await work()
  } finally {
    steering = steering?.again()
  }
}

function installedPeers(options: Options, { reader }: Programs): readonly Peer[] {
  return PEERS.filter(peer => {
    if (!options.servers.includes(peer.name)) return false
    const isRead = reader.kind === 'native' || !peer.needsNativeReader
    const why = isRead ? peer.missing() : 'it needs the native reader'
    if (why !== undefined) print(`${peer.name} is left out: ${why}`)
    return why === undefined
  })
}

function isAble({ name, cannot, most }: Peer, scenario: Scenario, { connections }: Options): boolean {
  const limit = most?.[scenario.name] ?? connections
  const why =
    cannot?.[scenario.name] ??
    (connections > limit ? `it breaks with more than ${limit} subscribers` : undefined)
  if (why !== undefined) print(`\n${name} is left out of ${scenario.name}: ${why}`)
  return why === undefined
}

function describeReader({ reader, nativeMissing }: Programs): string {
  if (reader.kind === 'native') return 'The reader is the native one.'
  return `The reader is that of Node${nativeMissing === undefined ? '' : `, which limits earlier: ${nativeMissing}`}.`
}

function describeSteering(): string {
  if (steering === undefined) return 'The receiving half of the loopback is left on the core that sends.'
  if (steering.missing === undefined) return "The receiving half of the loopback is on the load's core."
  return `The receiving half of the loopback is on the core that sends: ${steering.missing}`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
