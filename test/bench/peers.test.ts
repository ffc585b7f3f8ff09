/** The servers that ours is compared with, each as the benchmark runs it: none is missing here, and none loses a message. */
import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { nowMicros } from '../../bench/load/clock.js'
import { NO_FAULTS } from '../../bench/load/faults.js'
import type { ReaderCommand, ReaderReport } from '../../bench/load/protocol.js'
import { SPREAD_CHANNELS, SPREAD_EACH } from '../../bench/load/spread.js'
import { writeStamp } from '../../bench/load/stamp.js'
import { killAllChildren } from '../../bench/machine/child.js'
import { LoadProcess } from '../../bench/machine/load-process.js'
import { compilePrograms } from '../../bench/machine/programs.js'
import { PEERS } from '../../bench/peers/index.js'
import { nchan } from '../../bench/peers/nchan.js'
import type { Audience, Peer } from '../../bench/peers/peer.js'
import { socketIo } from '../../bench/peers/socket-io.js'
import { Progress } from '../../bench/rig/progress.js'
import { Rig } from '../../bench/rig/rig.js'

t.teardown(killAllChildren)
// Most of their time is waiting.
t.jobs = 4

const programs = compilePrograms('native')
const setting = {
  cores: undefined,
  node: process.execPath,
  programs,
  progress: new Progress(),
  withoutSteering: <Result>(work: () => Promise<Result>) => work(),
  patienceMs: 5000,
}

async function connectedRig(t: Test, peer: Peer, audience: Audience): Promise<Rig> {
  t.equal(peer.missing(), undefined)
  const rig = await Rig.start(setting, peer, { count: 20, audience })
  const ramp = await rig.connect(7)
  t.equal(ramp.connected, 20)
  return rig
}

for (const peer of PEERS) {
  t.test(
    `${peer.name} delivers everything once and in order, to channels and to all`,
    { buffered: true },
    async t => {
      const rig = await connectedRig(t, peer, 'shared')
      const channels = ['s0', 's1', 's2', 's3', 's4', 's0'].map(channel => ({ channel }))
      const delivery = await rig.publish({ targets: channels, messages: 20, textBytes: 20 })
      t.equal(delivery.deliveries, 20 * 6 * 20)
      const { deliveries } = await rig.publish({ targets: ['all'], messages: 3, textBytes: 70_000 })
      t.equal(deliveries, 20 * 3)
      t.ok(rig.memoryBytes() > 0)
      await rig.stop()
      t.same(rig.faults, NO_FAULTS)
    },
  )
}

for (const peer of [nchan, socketIo]) {
  t.test(
    `${peer.name} gives each subscriber what is for its own channels, and nothing else`,
    { buffered: true },
    async t => {
      const rig = await connectedRig(t, peer, 'spread')
      const targets = Array.from({ length: SPREAD_CHANNELS }, (_, channel) => ({ channel: `c${channel}` }))
      const { deliveries } = await rig.publish({ targets, messages: 1, textBytes: 20, pace: 2000 })
      t.equal(deliveries, 20 * SPREAD_EACH)
      await rig.stop()
      t.same(rig.faults, NO_FAULTS)
    },
  )
}

/** A frame of a websocket's server: not masked. */
function frame(text: string, first = 0x81): Buffer {
  const payload = Buffer.from(text)
  const length = Buffer.from(
    payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255],
  )
  return Buffer.concat([Buffer.from([first]), length, payload])
}

/** What a websocket's client has sent after its request, without the masks, which are zero. */
function said(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at + 6 <= bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) & 0x7f
    texts.push(bytes.toString('latin1', at + 6, at + 6 + length))
    at += 6 + length
  }
  return texts
}

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
const OPENED = frame(
  '0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
)
const CONNECTED = frame('40{"sid":"def"}')

/** A reader of one socket.io connection, and the server's end of it after the request. */
async function connectSocketIo(t: Test) {
  const server = net.createServer({ noDelay: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const reader: LoadProcess<ReaderCommand, ReaderReport> = new LoadProcess(
    'the reader',
    programs.reader,
    undefined,
  )
  const accepted = once(server, 'connection')
  await reader.next('up')
  const connected = reader.next('connected')
  reader.send({
    kind: 'connect',
    first: 7,
    count: 1,
    window: 1,
    request: { kind: 'socket.io', host: '127.0.0.1', port, path: '/socket.io/?token=t{n}', ready: 'event' },
  })
  const [socket]: net.Socket[] = await accepted
  if (socket === undefined) throw new Error('nobody has connected')
  socket.on('error', () => {})
  t.teardown(async () => {
    await reader.leave({ kind: 'leave' })
    socket.destroy()
    server.close()
  })
  const [request] = await once(socket, 'data')
  return { reader, socket, request: String(request), connected }
}

function event(sequence: number, text = 'x'): Buffer {
  const stamp = writeStamp({ phase: 1, source: 0, sequence, micros: nowMicros() })
  return frame(`42["message",{"channel":"s0","data":{"stamp":"${stamp}","text":"${text}"}}]`)
}

t.test('a subscriber of socket.io shakes hands, says who it is and answers pings', async t => {
  const { socket, request, connected } = await connectSocketIo(t)
  t.match(request, /^GET \/socket\.io\/\?token=t7 HTTP\/1\.1\r\n/)
  t.match(request, /\r\nUpgrade: websocket\r\n/)
  socket.write(SWITCHED)
  socket.write(OPENED)
  const [greeting] = await once(socket, 'data')
  t.same(said(greeting), ['40{"token":"t7"}'])
  socket.write(CONNECTED)
  t.match(await connected, { connected: 1, failed: 0 })
  socket.write(frame('2'))
  const [pong] = await once(socket, 'data')
  t.same(said(pong), ['3'])
})

t.test('a subscriber of socket.io reads its messages wherever they are cut', async t => {
  const { reader, socket, connected } = await connectSocketIo(t)
  socket.write(Buffer.concat([Buffer.from(SWITCHED), OPENED, CONNECTED]))
  await connected
  const messages = [
    event(1),
    event(2, 'y'.repeat(300)),
    frame('42["other",{}]'),
    event(4),
    event(3),
    event(3),
  ]
  const bytes = Buffer.concat(messages)
  const armed = reader.next('armed')
  const done = reader.next('done')
  reader.send({
    kind: 'arm',
    plan: { phase: 1, sources: 1, messages: 5, isSpread: false, hasCrash: false },
    polls: false,
  })
  await armed
  for (const byte of bytes) {
    socket.write(Buffer.from([byte]))
    await new Promise(setImmediate)
  }
  socket.write(event(5))
  await done
  const collected = reader.next('collected')
  reader.send({ kind: 'collect' })
  t.match(await collected, { delivered: 5, faults: { ...NO_FAULTS, disordered: 1, duplicated: 1 } })
})

t.test('a socket.io server that refuses or closes is found out', async t => {
  const refused = await connectSocketIo(t)
  refused.socket.write(Buffer.concat([Buffer.from(SWITCHED), OPENED, frame('44{"message":"refused"}')]))
  t.match(await refused.connected, { connected: 0, failed: 1, failure: 'the server refused to connect' })
  const noSocket = await connectSocketIo(t)
  noSocket.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
  t.match(await noSocket.connected, { connected: 0, failed: 1, failure: 'HTTP/1.1 400 Bad Request' })
  for (const last of [frame('41'), frame('\u0003\u00e8', 0x88), frame('half', 0x01)]) {
    const { reader, socket, connected } = await connectSocketIo(t)
    socket.write(Buffer.concat([Buffer.from(SWITCHED), OPENED, CONNECTED]))
    await connected
    socket.write(last)
    await once(socket, 'close')
    const collected = reader.next('collected')
    reader.send({ kind: 'collect' })
    t.match(await collected, { faults: { ...NO_FAULTS, dropped: 1 } })
  }
})
