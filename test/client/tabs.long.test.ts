import t from 'tap'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { seed } from '../helpers/seed.js'
import { buildScripts } from './browser.js'
import { storm } from './storm.js'

const scripts = t.testdir()
const [context] = await Promise.all([launchBrowserOfPeople(t), buildScripts(scripts)])

for (let round = 0; round < 4; round++) {
  t.test(
    `in a long storm each tab gets every message that it lived through once, round ${round}`,
    async t => {
      const own = seed + round
      const report = await storm(t, context, { scripts, seed: own, steps: 120, patienceMs: 15_000 })
      t.comment(`seed ${own}: ${JSON.stringify(report)}`)
      t.strictSame(report.faults, [], `seed ${own}`)
      t.ok(report.received > report.published, 'several tabs were there')
    },
  )
}
