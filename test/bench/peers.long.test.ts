/** The servers that ours is compared with, each as the benchmark runs it: none is missing here, and none loses a message. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { nowMicros } from '../../bench/load/clock.js'
import { NO_FAULTS } from '../../bench/load/faults.js'
import { SPREAD_CHANNELS, SPREAD_EACH } from '../../bench/load/spread.js'
import { writeStamp } from '../../bench/load/stamp.js'
import { killAllChildren } from '../../bench/machine/child.js'
import { compilePrograms } from '../../bench/machine/programs.js'
import { PEERS } from '../../bench/peers/index.js'
import { nchan, nchanSingle } from '../../bench/peers/nchan.js'
import type { Audience, Peer } from '../../bench/peers/peer.js'
import { socketIo } from '../../bench/peers/socket-io.js'
import { Rig } from '../../bench/rig/rig.js'
import { arm, collect, connect } from '../helpers/bench-reader.js'
import { rigSetting } from '../helpers/rig-setting.js'

t.teardown(killAllChildren)
// Most of their time is waiting.
t.jobs = 4

const programs = compilePrograms('native')
const setting = rigSetting(programs, 5000)

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

for (const peer of [nchan, nchanSingle]) {
  t.test(`${peer.name} gives pollers everything once and in order`, { buffered: true }, async t => {
    const rig = await Rig.start(setting, peer, { count: 20, kind: 'poll' })
    const { connected } = await rig.connect(7)
    t.equal(connected, 20)
    await rig.idle()
    const targets = ['s0', 's1', 's2'].map(channel => ({ channel }))
    const { deliveries, answers } = await rig.publish({ targets, messages: 20, textBytes: 20, pace: 200 })
    t.equal(deliveries, 20 * 3 * 20)
    t.equal(answers, deliveries, 'one message an answer')
    await rig.stop()
    t.same(rig.faults, NO_FAULTS)
  })
}

/** A frame of a websocket's server: not masked. */
function frame(text: string, first = 0x81): Buffer {
  const payload = Buffer.from(text)
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([first, ...length]), payload])
}

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
const OPENED = frame(
  '0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
)
const WELCOME = Buffer.concat([Buffer.from(SWITCHED), OPENED])
const CONNECTED = frame('40{"sid":"def"}')

/** A subscriber of socket.io whose nth saying, the request first, is answered with the nth of these. */
function connectSocketIo(t: Test, ...answers: readonly (Buffer | string)[]) {
  return connect(t, programs.reader, {
    count: 1,
    first: 7,
    request: { kind: 'socket.io', path: '/{n}?token=t{n}' },
    answer(stream, _number, nth) {
      const answer = answers[nth - 1]
      if (answer !== undefined) stream.write(answer)
    },
  })
}

function event(sequence: number, text = 'x'): Buffer {
  const stamp = writeStamp({ phase: 1, source: 0, sequence, micros: nowMicros() })
  return frame(`42["message",{"channel":"s0","data":{"stamp":"${stamp}","text":"${text}"}}]`)
}

t.test('a subscriber of socket.io shakes hands, says who it is and answers pings', async t => {
  const { server, report } = await connectSocketIo(t, WELCOME, CONNECTED)
  t.match(report, { connected: 1, failed: 0 })
  const [request = '', greeting = ''] = server.requests
  t.match(request, /^GET \/7\?token=t7 HTTP\/1\.1\r\n/)
  t.match(request, /\r\nUpgrade: websocket\r\n/)
  // Text, masked, 16 bytes long; and the mask is zero.
  t.same(greeting, '\ufffd\ufffd\0\0\0\x0040{"token":"t7"}')
  const [socket] = server.streams.values()
  if (socket === undefined) throw new Error('nobody has connected')
  const answered = once(socket, 'data')
  socket.write(frame('2'))
  t.same((await answered).map(String), ['\ufffd\ufffd\0\0\0\x003'])
})

t.test('a subscriber of socket.io reads its messages wherever they are cut', { timeout: 20_000 }, async t => {
  const { reader, server } = await connectSocketIo(t, WELCOME, CONNECTED)
  const bytes = Buffer.concat([
    event(1),
    event(2, 'y'.repeat(300)),
    frame('42["other",{}]'),
    event(4),
    event(3),
  ])
  await arm(reader, [1, 1, 5])
  const done = reader.next('done')
  const [socket] = server.streams.values()
  for (const byte of bytes) {
    socket?.write(Buffer.from([byte]))
    await new Promise(setImmediate)
  }
  socket?.write(Buffer.concat([event(3), event(5)]))
  await done
  const { rest } = await collect(reader)
  t.same(rest, { delivered: 5, faults: { ...NO_FAULTS, disordered: 1, duplicated: 1 } })
})

t.test('a socket.io server that refuses, or closes, is found out', async t => {
  const refusal = await connectSocketIo(t, WELCOME, frame('44{"message":"refused"}'))
  t.match(refusal.report, { connected: 0, failed: 1, failure: 'the server refused to connect' })
  const foreign = await connectSocketIo(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  t.match(foreign.report, { connected: 0, failed: 1, failure: 'HTTP/1.1 400 Bad Request' })
  for (const last of [frame('41'), frame('\x03\x08', 0x88), frame('half of a message', 0x01)]) {
    const { reader, server } = await connectSocketIo(t, WELCOME, CONNECTED)
    const [socket] = server.streams.values()
    if (socket === undefined) throw new Error('nobody has connected')
    const closed = once(socket, 'close')
    socket.write(last)
    await closed
    t.match((await collect(reader)).rest, { faults: { ...NO_FAULTS, dropped: 1 } })
  }
})
