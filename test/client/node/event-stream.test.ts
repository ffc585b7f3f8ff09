import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import t from 'tap'
import { EventStream, type StreamEvent } from '../../../src/client/node/event-stream.js'
import { seed } from '../../helpers/seed.js'
import { streamCases } from '../../helpers/stream-cases.js'

interface Outcome {
  readonly events: readonly StreamEvent[]
  readonly lastId: string
  readonly retryMs: number | undefined
}

/** Reads the bytes cut at the given places. */
function read(bytes: Uint8Array, cuts: readonly number[] = []): Outcome {
  const events: StreamEvent[] = []
  const stream = new EventStream(event => events.push(event), 1_000_000)
  const places = [...new Set(cuts.filter(cut => cut <= bytes.length)), bytes.length]
  let from = 0
  for (const to of places.sort((one, other) => one - other)) {
    stream.push(bytes.subarray(from, to))
    from = to
  }
  return { events, lastId: stream.lastId, retryMs: stream.retryMs }
}

const message = (data: string, id?: string): StreamEvent => ({ type: 'message', data, id })

for (const { name, text, events, lastId, retryMs } of streamCases) {
  t.test(name, async t => {
    const bytes = new TextEncoder().encode(text)
    const whole = read(bytes)
    t.strictSame(whole.events, events)
    if (lastId !== undefined) t.equal(whole.lastId, lastId)
    t.equal(whole.retryMs, retryMs)
    const everywhere = Array.from(bytes, (_, index) => index)
    t.strictSame(read(bytes, everywhere), whole, 'the same byte by byte')
  })
}

t.test('broken UTF-8 becomes U+FFFD and nothing else', async t => {
  const { events } = read(Uint8Array.of(...Buffer.from('data:a'), 0xf0, 0x9f, ...Buffer.from('b\n\n')))
  t.strictSame(events, [message('a\ufffdb')])
})

t.test('any text, cut anywhere, is read as eventsource-parser reads it', async () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\n\n') },
    { weight: 3, arbitrary: fc.constantFrom('data', 'event', 'id', 'retry', ':', ': ', 'data: ', 'id: 1-2') },
    fc.constantFrom('0', '17', ' ', '\0', '\ufeff', '\u2028', 'é', '😀', 'x'),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.array(fc.nat(200), { maxLength: 20 }),
      (text, cuts) => {
        // The last CR waits for what follows there, and counts at once here, as specified.
        const bytes = new TextEncoder().encode(`${text.join('')}\n.`)
        const expected: StreamEvent[] = []
        let retryMs: number | undefined
        const parser = createParser({
          onEvent: ({ event, data, id }) => expected.push({ type: event ?? 'message', data, id }),
          onRetry: ms => {
            retryMs = ms
          },
        })
        // It leaves the byte order mark to its decoder, too.
        parser.feed(new TextDecoder().decode(bytes))
        const outcome = read(bytes, cuts)
        return (
          JSON.stringify(outcome.events) === JSON.stringify(expected) && Object.is(outcome.retryMs, retryMs)
        )
      },
    ),
    { seed, numRuns: 3_000 },
  )
})

t.test(
  'a line, or the data of an event, that does not end is given up; anything short may go on',
  async t => {
    const push = (limit: number, ...chunks: readonly string[]) => {
      const stream = new EventStream(() => {}, limit)
      for (const chunk of chunks) stream.push(Buffer.from(chunk))
    }
    t.throws(() => push(100, 'data: ', ...Array.from({ length: 11 }, () => 'x'.repeat(10))), RangeError)
    t.throws(() => push(100, ...Array.from({ length: 11 }, () => `data: ${'x'.repeat(10)}\n`)), RangeError)
    t.doesNotThrow(() => push(100, ...Array.from({ length: 1_000 }, () => 'data: x\n\n')))
    t.doesNotThrow(() => push(100, ...Array.from({ length: 1_000 }, () => ': a comment\nid: 1\nevent: x\n')))
  },
)
