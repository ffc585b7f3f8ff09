/** What a server does while its subscribers are away, and whether it is alive: what the bench must find out about it. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AuthServer } from '../../bench/load/auth-server.js'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { killAllChildren } from '../../bench/machine/child.js'
import { compilePrograms } from '../../bench/machine/programs.js'
import type { Peer, Server } from '../../bench/peers/peer.js'
import { spendAbsence } from '../../bench/rig/absence.js'
import { Probe } from '../../bench/rig/probe.js'
import { Rig } from '../../bench/rig/rig.js'
import { rigSetting } from '../helpers/rig-setting.js'

t.teardown(killAllChildren)
const programs = compilePrograms()
const native = { skip: programs.nativeMissing ?? false }
const setting = rigSetting(programs, 700)

/** What a stream begins with for one that returns, made of the frames that it missed. */
type Replay = (missed: readonly string[]) => readonly string[]

const GAP = 'event: gap\nid: 1-900\ndata: {}\n\n'

/** A server in this process that keeps all messages, and gives to one that returns what `replay` makes of them. */
function serverThat(replay: Replay): Peer {
  return {
    name: 'test',
    describe: () => 'test',
    missing: () => undefined,
    async start() {
      const frames: string[] = []
      const streams = new Set<http.ServerResponse>()
      const server = http.createServer((request, response) => {
        if (request.method === 'GET') {
          const cursor = /-(\d+)$/.exec(String(request.headers['last-event-id'] ?? ''))?.[1]
          const from = cursor === undefined ? frames.length : Number(cursor)
          const missed = cursor === undefined ? [] : replay(frames.slice(from))
          response.writeHead(200, { 'Content-Type': 'text/event-stream' })
          response.write(`event: ready\nid: 1-${from}\ndata: {}\n\n${missed.join('')}`)
          streams.add(response)
          response.on('close', () => streams.delete(response))
          return
        }
        let body = ''
        request.on('data', (text: Buffer) => {
          body += text
        })
        request.on('end', () => {
          const frame = `id: 1-${frames.length + 1}\ndata: ${body}\n\n`
          frames.push(frame)
          for (const stream of streams) stream.write(frame)
          response.writeHead(200, { 'Content-Length': 0 }).end()
        })
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const running: Server = {
        host: '127.0.0.1',
        port: portOf(server),
        stream: () => ({ kind: 'stream', path: '/{n}', ready: 'event' }),
        ended: new Promise(() => {}),
        pids: () => [],
        publish: (_target, data) => ({ path: '/', headers: {}, body: data }),
        publishAmong: (_target, data, others) => ({
          path: '/',
          headers: {},
          body: [data, ...others.map(other => other.data)].join(),
        }),
        async crash() {
          for (const stream of streams) stream.destroy()
          await sleep(50)
          return running
        },
        async stop() {
          server.closeAllConnections()
          server.close()
          return true
        },
      }
      return running
    },
  }
}

function portOf(server: http.Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

const missed = { targets: [{ channel: 's0' }, { channel: 's1' }], messages: 5, textBytes: 20 }

/** 10 subscribers who miss 10 messages each. */
async function absenceAt(t: Test, replay: Replay, cause: 'cut' | 'crash') {
  const rig = await Rig.start(setting, serverThat(replay), { count: 10 })
  await rig.connect(5)
  // A cursor of 0 would be none.
  await rig.publish({ targets: ['all'], messages: 1, textBytes: 20 })
  const absence = await spendAbsence(rig, { missed, cause, spreadMs: 50, authMs: 0 })
  t.match(absence.back, { connected: 10, failed: 0 })
  await rig.stop()
  return { faults: rig.faults, ...absence }
}

t.test('who gets all that was missed has caught up, after a cut as after a crash', native, async t => {
  const causes = ['cut', 'crash'] as const
  const absences = await Promise.all(causes.map(cause => absenceAt(t, all => all, cause)))
  for (const { faults, collected, caughtUpMicros } of absences) {
    t.same(faults, NO_FAULTS)
    t.match(collected, { delivered: 100, excused: 0, gapped: 0 })
    t.ok(caughtUpMicros > 0 && caughtUpMicros < 5e6, `${caughtUpMicros}`)
  }
  t.equal(absences[0]?.restartMicros, 0)
  t.ok((absences[1]?.restartMicros ?? 0) >= 45_000)
})

t.test('a gap is an answer after a crash, and a fault after a cut', native, async t => {
  const causes = ['crash', 'cut'] as const
  const [crash, cut] = await Promise.all(causes.map(cause => absenceAt(t, () => [GAP], cause)))
  t.same(crash?.faults, NO_FAULTS)
  t.match(crash?.collected, { delivered: 0, excused: 100, gapped: 10 })
  t.same(cut?.faults, { ...NO_FAULTS, gaps: 10, lost: 100 })
})

t.test('what is lost without a word is found out, after a cut as after a crash', native, async t => {
  const cases = [
    ['cut', (all: readonly string[]) => all.slice(1), 10],
    ['crash', (all: readonly string[]) => all.slice(1), 10],
    ['crash', () => [], 100],
  ] as const
  await Promise.all(
    cases.map(async ([cause, replay, lost]) => {
      t.same((await absenceAt(t, replay, cause)).faults, { ...NO_FAULTS, lost })
    }),
  )
})

t.test('what comes twice is found out', native, async t => {
  const replay: Replay = all => [...all, ...all.slice(-1)]
  // Its event id does not grow, either.
  t.match((await absenceAt(t, replay, 'cut')).faults, { lost: 0, duplicated: 10, disordered: 10 })
})

t.test(
  'the probe tells how long a server does not answer, and that it was not late itself',
  native,
  async t => {
    let asked = 0
    const server = http.createServer((_request, response) => {
      if (++asked === 20) {
        const until = performance.now() + 150
        while (performance.now() < until);
      }
      response.end('{}')
    })
    server.listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    const running: Server = {
      ...(await serverThat(all => all).start({ authUrl: '', core: undefined, node: '', programs })),
      port: portOf(server),
      healthPath: '/healthz',
    }
    const probe = await Probe.start(setting, running, 10)
    while (asked < 60) await sleep(10)
    const probing = await probe?.stop()
    t.ok(probing && probing.latency.maxMicros >= 149_000, `${probing?.latency.maxMicros}`)
    t.ok(probing && probing.latency.quantile(0.5) < 100_000, 'usually it answers at once')
    // Those that were asked meanwhile had to wait as well: nobody waits for the one before.
    t.ok(probing && probing.latency.quantile(0.85) > 20_000)
    t.ok(probing && probing.asked - probing.refused >= 60)
    await running.stop()
  },
)

t.test('a server that is not well is found out by the probe', native, async t => {
  const server = http.createServer((_request, response) => response.writeHead(503).end())
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const base = await serverThat(all => all).start({ authUrl: '', core: undefined, node: '', programs })
  const probe = await Probe.start(setting, { ...base, port: portOf(server), healthPath: '/' }, 10)
  await sleep(100)
  const { asked = 0, refused = 0 } = (await probe?.stop()) ?? {}
  t.ok(refused > 0 && asked >= refused)
  t.equal(await Probe.start(setting, base, 10), undefined, 'a server that cannot be asked is not')
  await base.stop()
})

t.test('the stand-in for the CMS takes the time that it is told, and tells how it was asked', async t => {
  const authServer = new AuthServer()
  const url = await authServer.listen()
  const ask = async (token: string) => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ token }) })
    return response.status === 200 ? response.json() : response.status
  }
  t.same(await ask('t7'), { uid: '7', channels: ['s0', 's1', 's2', 's3', 's4', 'own_7'], expiresIn: 3600 })
  const channels = ['c499', 'c100', 'c201', 'c302', 'c403', 'own_499']
  t.same(await ask('c499'), { uid: '499', channels, expiresIn: 3600 })
  t.equal(await ask('x1'), 403)
  t.same(authServer.takeStock(100), { kind: 'asked', calls: 3, peak: 3, mostAtOnce: 1 })
  const startedAt = performance.now()
  await Promise.all(['t1', 't2', 't3'].map(ask))
  t.ok(performance.now() - startedAt >= 95)
  t.same(authServer.takeStock(0), { kind: 'asked', calls: 3, peak: 3, mostAtOnce: 3 })
  authServer.close()
})

t.test('what is published at a pace takes its time, and stays in order', async t => {
  const rig = await Rig.start(
    { ...setting, programs: compilePrograms('node') },
    serverThat(all => all),
    { count: 5 },
  )
  await rig.connect(5)
  const startedAt = performance.now()
  const targets = Array.from({ length: 10 }, (_, index) => ({ channel: `c${index}` }))
  const { deliveries } = await rig.publish({ targets, messages: 4, textBytes: 20, pace: 100 })
  t.ok(performance.now() - startedAt >= 39 * 10)
  t.equal(deliveries, 5 * 10 * 4)
  await rig.stop()
  t.same(rig.faults, NO_FAULTS)
})
