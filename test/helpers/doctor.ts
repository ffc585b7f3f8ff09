import type { Test } from 'tap'
import { run } from './terminal.js'

/** A finding, as the doctor tells it to machines. */
export interface Found {
  readonly level: string
  readonly seen: string
  readonly means?: string
  readonly change?: Readonly<Record<string, string>>
}

/** What the doctor found. */
export interface Examined {
  readonly code: number
  readonly isWell: boolean
  readonly proxies: readonly string[]
  /** The findings by what was looked at. */
  readonly findings: Readonly<Record<string, Found>>
  /** What was looked at and is at fault. */
  readonly faults: readonly string[]
}

/** Has the URL examined. */
export async function examine(t: Test, url: string, ...options: readonly string[]): Promise<Examined> {
  const { code, out, err } = await run(t, ['doctor', url, '--json', ...options])
  t.equal(err, '')
  const { isWell, proxies, findings } = JSON.parse(out)
  const entries: [string, Found][] = findings.map(({ check, ...found }: Found & { check: string }) => [
    check,
    found,
  ])
  t.equal(new Set(entries.map(([check]) => check)).size, entries.length, 'each check is told once')
  const faults = entries.filter(([, { level }]) => level === 'fault').map(([check]) => check)
  t.equal(isWell, faults.length === 0)
  t.equal(code, isWell ? 0 : 1)
  return { code, isWell, proxies, findings: Object.fromEntries(entries), faults }
}
