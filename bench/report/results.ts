import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { LoadProgram } from '../machine/load-process.js'
import type { Machine } from '../machine/machine.js'
import type { Options } from '../options.js'
import type { Measurement } from '../scenarios/scenario.js'
import type { Summary } from './summary.js'

/** How the load was put on the servers. */
export interface LoadSetting {
  /** Which program reads: `reader.ts` or `reader.c`. */
  readonly reader: LoadProgram['kind']
  /** Whether the load's core did the receiving half of the loopback. */
  readonly isSteered: boolean
}

/** What a file in `bench/results/` says. */
export interface Result {
  readonly scenario: string
  /** What was done, in a line. */
  readonly description: string
  /** When it began, ISO 8601. */
  readonly date: string
  readonly machine: Machine
  readonly load: LoadSetting
  /** What was measured, by name. */
  readonly servers: Readonly<Record<string, string>>
  readonly parameters: Options
  readonly summary: Summary
  /** Every measurement, by server, in the order of the rounds. */
  readonly rounds: Readonly<Record<string, readonly Measurement[]>>
}

/** Writes a result to `bench/results/` and returns the file's path. */
export function saveResult(result: Result): string {
  const folder = fileURLToPath(new URL('../results/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const time = result.date.slice(0, 19).replaceAll(':', '')
  const path = `${folder}${result.scenario}-${time}.json`
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
  return path
}
