import t from 'tap'
import { launchChromium } from '../helpers/chromium.js'
import { seed } from '../helpers/seed.js'
import { buildScripts } from './browser.js'
import { buildSabotaged } from './sabotage.js'
import { storm } from './storm.js'

const scripts = t.testdir()
const [browser] = await Promise.all([launchChromium(t), buildScripts(scripts)])

t.test('whatever happens to tabs, each gets every message that it lived through once, in order', async t => {
  const report = await storm(t, browser, { scripts, seed, steps: 40, patienceMs: 5_000 })
  t.comment(`seed ${seed}: ${JSON.stringify(report)}`)
  t.strictSame(report.faults, [], `seed ${seed}`)
})

// The same, with scripts that have a fault: were it not found, the test above would show nothing. The seeds are ones that meet it.
for (const [what, sabotage, among] of [
  [
    'a script that drops each hundredth message',
    {
      file: 'dispatcher.ts',
      piece: 'if (message.except === page) return',
      instead: "if (message.except === page || /00$/.test(message.id || '')) return",
    },
    /: got .* for /,
  ],
  [
    'a script that joins without catching up',
    {
      file: 'tabs.ts',
      piece: 'if (word.at && !(place(word.at) <= here)) return read(receiver, word)',
      instead: '',
    },
    /: got .* for /,
  ],
  [
    'a script that keeps the lock',
    { file: 'tabs.ts', piece: 'abort.abort()\n      free()', instead: '' },
    /streams for|the last is|began with/,
  ],
] as const) {
  t.test(`${what} is found out`, async t => {
    const scripts = t.testdir()
    await buildSabotaged(scripts, sabotage)
    const report = await storm(t, browser, { scripts, seed: 4, steps: 25, patienceMs: 2_000 })
    t.match(report.faults.join('\n'), among)
    t.comment(report.faults.slice(0, 3).join('\n'))
  })
}
