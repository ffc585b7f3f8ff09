import { type Finding, good, untested } from './finding.js'
import type { Reply } from './visitor.js'

/** Seconds by which clocks may differ before anybody notices; a `Date` header has whole seconds. */
const harmless = 3

/** Compares our clock with that of whoever wrote the answer's Date. */
export function checkClock({ answer }: Reply, nowMs: number): Finding {
  const thereMs = Date.parse(answer.header('date') ?? '')
  if (Number.isNaN(thereMs)) return untested('clock', 'the answer has no Date')
  // The Date is cut off to the second.
  const difference = Math.round((nowMs - thereMs - 500) / 1_000)
  const seen = `ours is ${Math.abs(difference)} s ${difference < 0 ? 'behind' : 'ahead'}`
  if (Math.abs(difference) <= harmless) return good('clock', 'the same as ours, to the second')
  return {
    check: 'clock',
    level: 'note',
    seen,
    means:
      'if this is the machine of the CMS: a Unix time that it prints as since, and exp of what it signs, are off by that',
    change: { Downpipe: 'set both clocks by NTP' },
  }
}
