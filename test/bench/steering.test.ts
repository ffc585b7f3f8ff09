import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { steeredAlready, steerLoopback } from '../../bench/machine/steering.js'

/** A folder that stands for the kernel's: its backlog, and a mask for each of its queues. */
function kernelWith(folder: string, backlog: string, masks: Readonly<Record<string, string>>) {
  writeFileSync(`${folder}/backlog`, backlog)
  mkdirSync(`${folder}/queues`)
  for (const [queue, mask] of Object.entries(masks)) {
    mkdirSync(`${folder}/queues/${queue}`)
    writeFileSync(`${folder}/queues/${queue}/rps_cpus`, mask)
  }
  return {
    paths: { queues: `${folder}/queues`, backlog: `${folder}/backlog` },
    maskOf: (queue: string) => readFileSync(`${folder}/queues/${queue}/rps_cpus`, 'utf8'),
    backlog: () => readFileSync(`${folder}/backlog`, 'utf8'),
  }
}

t.test('every queue is steered, and all is as it was afterwards', async t => {
  const kernel = kernelWith(t.testdir({}), '1000\n', { 'rx-0': '0\n', 'rx-1': '3\n', 'tx-0': '0\n' })
  const steering = steerLoopback(1, kernel.paths)
  t.equal(steering.missing, undefined)
  t.same(['rx-0', 'rx-1', 'tx-0'].map(kernel.maskOf), ['2', '2', '0\n'])
  t.equal(kernel.backlog(), '100000')
  steering.restore()
  t.same(['rx-0', 'rx-1'].map(kernel.maskOf), ['0\n', '3\n'])
  t.equal(kernel.backlog(), '1000\n')
  writeFileSync(kernel.paths.backlog, '5')
  steering.restore()
  t.equal(kernel.backlog(), '5', 'once restored, nothing is touched again')
})

t.test('a core beyond the first 32 has a mask in groups, and a longer backlog stays', async t => {
  const kernel = kernelWith(t.testdir({}), '300000\n', { 'rx-0': '0\n' })
  const masks = { 31: '80000000', 32: '1,00000000', 69: '20,00000000,00000000' }
  for (const [core, mask] of Object.entries(masks)) {
    steerLoopback(Number(core), kernel.paths)
    t.equal(kernel.maskOf('rx-0'), mask)
  }
  t.equal(kernel.backlog(), '300000')
})

t.test('where it cannot be steered, all is left as it was, and it is said why', async t => {
  const folder = t.testdir({})
  t.match(steerLoopback(1, { queues: `${folder}/none`, backlog: '' }).missing, /ENOENT/)
  const kernel = kernelWith(folder, '1000\n', {})
  t.match(steerLoopback(1, kernel.paths).missing, /no queue/)
  mkdirSync(`${folder}/queues/rx-0/rps_cpus`, { recursive: true })
  t.match(steerLoopback(1, kernel.paths).missing, /EISDIR/)
  t.equal(kernel.backlog(), '1000\n')
})

t.test('what a run has left that was killed is seen by the next', async t => {
  const folder = t.testdir({})
  t.equal(steeredAlready({ queues: `${folder}/none`, backlog: '' }), undefined)
  const kernel = kernelWith(folder, '1000\n', { 'rx-0': '0\n', 'rx-1': '0,00000000\n' })
  t.equal(steeredAlready(kernel.paths), undefined)
  const steering = steerLoopback(33, kernel.paths)
  t.equal(steeredAlready(kernel.paths), `${kernel.paths.queues}/rx-0/rps_cpus`)
  steering.restore()
  t.equal(steeredAlready(kernel.paths), undefined)
})
