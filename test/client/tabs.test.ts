import t from 'tap'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { seed } from '../helpers/seed.js'
import { buildScripts } from './browser.js'
import { storm } from './storm.js'

const scripts = t.testdir()
const [context] = await Promise.all([launchBrowserOfPeople(t), buildScripts(scripts)])

t.test('whatever happens to tabs, each gets every message that it lived through once, in order', async t => {
  const report = await storm(t, context, { scripts, seed, steps: 30, patienceMs: 5_000 })
  t.comment(`seed ${seed}: ${JSON.stringify(report)}`)
  t.strictSame(report.faults, [], `seed ${seed}`)
})
