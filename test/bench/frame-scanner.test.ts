import t from 'tap'
import { type FrameReceiver, scanFrames } from '../../bench/load/frame-scanner.js'
import { microsAt, phaseAt, type Stamp, sequenceAt, sourceAt, writeStamp } from '../../bench/load/stamp.js'

const stamp: Stamp = { phase: 7, source: 15, sequence: 1234567, micros: 987654321012345 }

class Recorder implements FrameReceiver {
  readonly heard: unknown[] = []

  message(bytes: Uint8Array, at: number, id: number): void {
    const [phase, source] = [phaseAt(bytes, at), sourceAt(bytes, at)]
    this.heard.push({ phase, source, sequence: sequenceAt(bytes, at), micros: microsAt(bytes, at), id })
  }

  event(name: string, id: number): void {
    this.heard.push({ name, id })
  }
}

const stream = [
  'retry: 2143\n\n',
  'event: ready\nid: 1763762400000-5511\ndata: {"uid":"5"}\n\n',
  `id: 1763762401234-5512\ndata: {"channel":"s0","data":{"stamp":"${writeStamp(stamp)}","text":"x"}}\n\n`,
  ': a comment\n\n',
  `data: {"stamp":"${writeStamp({ ...stamp, sequence: 3 })}"}\n\n`,
  'event: heartbeat\nid: 1763762426000-5513\ndata:\n\n',
  'event: close\ndata: {"reason":"kick"}\n\n',
].join('')

const heard = [
  { name: 'ready', id: 5511 },
  { ...stamp, id: 5512 },
  { ...stamp, sequence: 3, id: Number.NaN },
  { name: 'heartbeat', id: 5513 },
  { name: 'close', id: Number.NaN },
]

t.test('a stream is read with its events, stamps and ids', async t => {
  const bytes = Buffer.from(stream)
  const recorder = new Recorder()
  t.equal(scanFrames(bytes, 0, bytes.length, recorder), bytes.length)
  t.same(recorder.heard, heard)
})

t.test('a stream that is cut anywhere is read as if it were whole', async t => {
  const bytes = Buffer.from(stream)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const recorder = new Recorder()
    const rest = scanFrames(bytes, 0, cut, recorder)
    t.ok(rest <= cut)
    t.equal(scanFrames(bytes, rest, bytes.length, recorder), bytes.length)
    t.same(recorder.heard, heard)
  }
})

t.test('nothing outside the given range is read', async t => {
  const bytes = Buffer.from(`event: gap\n\n${stream}event: gap\n\n`)
  const recorder = new Recorder()
  scanFrames(bytes, 12, 12 + stream.length, recorder)
  t.same(recorder.heard, heard)
})

t.test('a stamp that does not fit its width is refused', async t => {
  t.throws(() => writeStamp({ ...stamp, source: 10_000 }), RangeError)
})
