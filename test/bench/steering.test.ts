import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { steerLoopback } from '../../bench/machine/steering.js'

/** A folder that stands for the loopback's, with a mask for each of its queues. */
function queuesWith(folder: string, masks: Readonly<Record<string, string>>) {
  for (const [queue, mask] of Object.entries(masks)) {
    mkdirSync(`${folder}/${queue}`, { recursive: true })
    writeFileSync(`${folder}/${queue}/rps_cpus`, mask)
  }
  return (queue: string) => readFileSync(`${folder}/${queue}/rps_cpus`, 'utf8')
}

t.test('every queue is steered, and gets its own mask back', async t => {
  const folder = t.testdir({})
  const maskOf = queuesWith(folder, { 'rx-0': '0\n', 'rx-1': '3\n', 'tx-0': '0\n' })
  const steering = steerLoopback(1, folder)
  t.equal(steering.missing, undefined)
  t.same([maskOf('rx-0'), maskOf('rx-1'), maskOf('tx-0')], ['2', '2', '0\n'])
  steering.restore()
  t.same([maskOf('rx-0'), maskOf('rx-1')], ['0\n', '3\n'])
  writeFileSync(`${folder}/rx-0/rps_cpus`, '1')
  steering.restore()
  t.equal(maskOf('rx-0'), '1', 'once restored, it is not touched again')
})

t.test('a core beyond the first 32 has a mask in groups', async t => {
  const folder = t.testdir({})
  const maskOf = queuesWith(folder, { 'rx-0': '0\n' })
  for (const [core, mask] of [
    [31, '80000000'],
    [32, '1,00000000'],
    [69, '20,00000000,00000000'],
  ] as const) {
    steerLoopback(core, folder)
    t.equal(maskOf('rx-0'), mask)
  }
})

t.test('where it cannot be steered, all is left as it was, and it is said why', async t => {
  const folder = t.testdir({})
  t.match(steerLoopback(1, `${folder}/none`).missing, /ENOENT/)
  t.match(steerLoopback(1, folder).missing, /no queue/)
  const maskOf = queuesWith(folder, { 'rx-0': '0\n' })
  mkdirSync(`${folder}/rx-1/rps_cpus`, { recursive: true })
  t.match(steerLoopback(1, folder).missing, /EISDIR/)
  t.equal(maskOf('rx-0'), '0\n')
})
