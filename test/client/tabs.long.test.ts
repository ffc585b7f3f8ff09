import t from 'tap'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { seed } from '../helpers/seed.js'
import { buildScripts } from './browser.js'
import { buildSabotaged } from './sabotage.js'
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

// The same, with scripts that have a fault: were it not found, the tests above would show nothing.
for (const { what, only, steps, messages = 0, file, piece, instead } of [
  {
    what: 'a script that drops each hundredth message',
    only: ['cut', 'show'],
    steps: 10,
    messages: 300,
    file: 'push.ts',
    piece: 'if (message.except === page) return',
    instead: 'window.count = (window.count || 0) + 1; if (window.count % 100 === 0) return',
  },
  {
    what: 'a script that joins without catching up',
    only: ['freeze', 'thaw'],
    steps: 20,
    file: 'tabs.ts',
    piece: 'take(answer, status)\n        waiting',
    instead: 'take(answer.messages ? { ...answer, messages: [] } : answer, status)\n        waiting',
  },
  {
    what: 'a script that keeps the lock',
    only: ['freeze'],
    steps: 12,
    file: 'tabs.ts',
    piece: 'abort.abort()',
    instead: '',
  },
]) {
  t.test(`${what} is found out`, async t => {
    const scripts = t.testdir()
    await buildSabotaged(scripts, { file, piece, instead })
    const report = await storm(t, context, { scripts, seed, only, steps, messages, patienceMs: 1_500 })
    t.not(report.faults.length, 0, `seed ${seed}`)
    t.comment(report.faults.slice(0, 3).join('\n'))
  })
}
