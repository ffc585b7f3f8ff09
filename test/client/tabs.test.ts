import t from 'tap'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { seed } from '../helpers/seed.js'
import { buildScripts } from './browser.js'
import { buildSabotaged } from './sabotage.js'
import { storm } from './storm.js'

const scripts = t.testdir()
const [context] = await Promise.all([launchBrowserOfPeople(t), buildScripts(scripts)])

t.test('whatever happens to tabs, each gets every message that it lived through once, in order', async t => {
  const report = await storm(t, context, { scripts, seed, steps: 30, patienceMs: 5_000 })
  t.comment(`seed ${seed}: ${JSON.stringify(report)}`)
  t.strictSame(report.faults, [], `seed ${seed}`)
})

// The same, with scripts that have a fault: were it not found, the test above would show nothing.
for (const { what, only, steps, file, piece, instead } of [
  {
    what: 'a script that drops each hundredth message',
    only: ['cut', 'show'],
    steps: 40,
    file: 'dispatcher.ts',
    piece: 'if (message.except === page) return',
    instead: "if (message.except === page || /00$/.test(message.id || '')) return",
  },
  {
    what: 'a script that joins without catching up',
    only: ['freeze', 'thaw'],
    steps: 20,
    file: 'tabs.ts',
    piece: 'if (receiver.take(body) && words)',
    instead: 'if (receiver.take({ ready: own, messages: [], cursor: body.cursor }) && words)',
  },
  {
    what: 'a script that keeps the lock',
    only: ['freeze'],
    steps: 12,
    file: 'tabs.ts',
    piece: 'abort.abort()\n      free()',
    instead: '',
  },
]) {
  t.test(`${what} is found out`, async t => {
    const scripts = t.testdir()
    await buildSabotaged(scripts, { file, piece, instead })
    const report = await storm(t, context, { scripts, seed, only, steps, patienceMs: 1_500 })
    t.not(report.faults.length, 0, `seed ${seed}`)
    t.comment(report.faults.slice(0, 3).join('\n'))
  })
}
