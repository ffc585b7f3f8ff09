import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { compilePrograms, type Programs } from '../../bench/machine/programs.js'
import { naive } from '../../bench/peers/naive.js'
import type { Peer } from '../../bench/peers/peer.js'
import { Rig, type RigSetting } from '../../bench/rig/rig.js'
import { rigSetting } from '../helpers/rig-setting.js'

const { nativeMissing } = compilePrograms()
const publication = { targets: [{ channel: 's0' }, { channel: 's1' }], messages: 5, textBytes: 20 }

/** A server in this process that passes on to each subscriber what `deliver` makes of the n-th message, `n` from 1. */
function serverThat(deliver: (frame: string, n: number) => readonly string[]): Peer {
  return {
    name: 'test',
    describe: () => 'test',
    missing: () => undefined,
    async start() {
      const streams = new Set<http.ServerResponse>()
      let published = 0
      const server = http.createServer((request, response) => {
        if (request.method === 'GET') {
          response.writeHead(200, { 'Content-Type': 'text/event-stream' })
          response.write('event: ready\ndata: {}\n\n')
          streams.add(response)
          return
        }
        let body = ''
        request.on('data', (text: Buffer) => {
          body += text
        })
        request.on('end', () => {
          published++
          const frames = deliver(`data: ${body}\n\n`, published)
          for (const stream of streams) for (const frame of frames) stream.write(frame)
          response.writeHead(200, { 'Content-Length': 0 }).end()
        })
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const address: AddressInfo | string | null = server.address()
      return {
        host: '127.0.0.1',
        port: typeof address === 'object' ? (address?.port ?? 0) : 0,
        stream: () => ({ kind: 'stream', path: '/{n}', ready: 'event' }),
        ended: new Promise(() => {}),
        pids: () => [],
        publish: (_target, data) => ({ path: '/', headers: {}, body: data }),
        stop: async () => {
          server.closeAllConnections()
          server.close()
          return true
        },
      }
    },
  }
}

async function faultsAt(setting: RigSetting, peer: Peer) {
  const rig = await Rig.start(setting, peer, { count: 10 })
  await rig.connect(5)
  await rig.publish(publication)
  await rig.stop()
  return rig.faults
}

function testWith(t: Test, programs: Programs): void {
  const setting = rigSetting(programs, 1500)

  t.test('the naive server delivers everything, and the figures are those of what was sent', async t => {
    const rig = await Rig.start(setting, naive, { count: 20 })
    t.ok(rig.memoryBytes() > 10e6)
    const ramp = await rig.connect(7)
    t.equal(ramp.connected, 20)
    t.equal(ramp.latency.total, 20)
    const { deliveries, latency, answered, micros } = await rig.publish(publication)
    t.equal(deliveries, 20 * 2 * 5)
    t.equal(latency.total, deliveries)
    t.equal(answered.total, 2 * 5)
    t.ok(latency.maxMicros <= micros)
    await rig.stop()
    t.same(rig.faults, NO_FAULTS)
  })

  t.test('a server that loses one message is found out at every subscriber', async t => {
    t.same(
      await faultsAt(
        setting,
        serverThat((frame, n) => (n === 4 ? [] : [frame])),
      ),
      { ...NO_FAULTS, lost: 10 },
    )
  })

  t.test('a server that sends one message twice is found out, even if it is the last one', async t => {
    const peer = serverThat((frame, n) => (n === 10 ? [frame, frame] : [frame]))
    t.same(await faultsAt(setting, peer), { ...NO_FAULTS, duplicated: 10 })
  })

  t.test('a server that swaps messages is found out', async t => {
    let held = ''
    const peer = serverThat((frame, n) => {
      if (n < 5 || n > 9) return [frame]
      if (n < 9) {
        held = frame + held
        return []
      }
      return [frame + held]
    })
    const { disordered, ...others } = await faultsAt(setting, peer)
    t.ok(disordered >= 10)
    t.match(others, { lost: 0, duplicated: 0 })
  })

  t.test('event ids that do not grow are found out', async t => {
    const peer = serverThat((frame, n) => [`id: 1763762400000-${n === 6 ? 5 : n}\n${frame}`])
    t.same(await faultsAt(setting, peer), { ...NO_FAULTS, disordered: 10 })
  })

  t.test('a gap, and a stream that is closed, are found out', async t => {
    const gaps = await faultsAt(
      setting,
      serverThat((frame, n) => (n === 3 ? ['event: gap\ndata: {}\n\n', frame] : [frame])),
    )
    t.same(gaps, { ...NO_FAULTS, gaps: 10 })
    const closes = await faultsAt(
      setting,
      serverThat((frame, n) => (n === 10 ? [frame, 'event: close\ndata: {}\n\n'] : [frame])),
    )
    t.same(closes, { ...NO_FAULTS, dropped: 10 })
  })
}

t.test('with the reader in TypeScript', async t => testWith(t, compilePrograms('node')))
t.test('with the reader in C', { skip: nativeMissing ?? false }, async t =>
  testWith(t, compilePrograms('native')),
)
