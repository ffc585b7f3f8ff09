import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import t from 'tap'
import { EventStream, type StreamEvent } from '../../../src/client/node/event-stream.js'
import { seed } from '../../helpers/seed.js'

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
const long = 'x'.repeat(2048)

// The values are those of web-platform-tests/eventsource/format-*.
const cases: readonly {
  readonly name: string
  readonly text: string
  readonly events: readonly StreamEvent[]
  readonly lastId?: string
  readonly retryMs?: number
}[] = [
  {
    name: 'one byte order mark is dropped, at the beginning only',
    text: '\ufeffdata:1\n\n\ufeffdata:2\n\ndata:3\n\n',
    events: [message('1'), message('3')],
  },
  {
    name: 'a second byte order mark belongs to the field',
    text: '\ufeff\ufeffdata:1\n\ndata:2\n\ndata:3\n\n',
    events: [message('2'), message('3')],
  },
  {
    name: 'comments are passed over, however they end',
    text: `data:1\r:\0\n:\r\ndata:2\n:${long}\rdata:3\n:data:fail\r:${long}\ndata:4\n\n\n`,
    events: [message('1\n2\n3\n4')],
  },
  {
    name: 'what the end of the stream cuts off is not given, nor does its id count',
    text: 'retry:1000\ndata:test1\n\nid:test\ndata:test2',
    events: [message('test1')],
    retryMs: 1000,
  },
  {
    name: 'an empty data field is data',
    text: 'data:\n\ndata\ndata\n\ndata:test\n\n\n',
    events: [message(''), message('\n'), message('test')],
  },
  {
    name: 'an event field holds for one event',
    text: 'event:test\ndata:x\n\ndata:x\n\n',
    events: [{ type: 'test', data: 'x', id: undefined }, message('x')],
  },
  { name: 'an empty event field is none', text: 'event: \ndata:data\n\n', events: [message('data')] },
  {
    name: 'an id is the last one until another comes, and may be empty',
    text: 'id:1\ndata:a\n\ndata:b\n\nid\ndata:c\n\n',
    events: [message('a', '1'), message('b'), message('c', '')],
  },
  {
    name: 'an id without data counts',
    text: 'id: 7\n\ndata:a\n\n',
    events: [message('a')],
    lastId: '7',
  },
  {
    name: 'an id with NUL is ignored',
    text: 'id:1\0\nid:\0\nid:\x002\ndata:hello\n\n',
    events: [message('hello')],
  },
  {
    name: 'fields are named exactly',
    text: 'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n\n',
    events: [message('\0\n 2\n1\n3\n\n4')],
  },
  { name: 'retry is a number', text: 'retry:3000\ndata:x\n\n', events: [message('x')], retryMs: 3000 },
  {
    name: 'a retry that is none changes nothing',
    text: 'retry:3000\nretry:1000x\ndata:x\n\n',
    events: [message('x')],
    retryMs: 3000,
  },
  { name: 'an empty retry is none', text: 'retry\ndata:test\n\n', events: [message('test')] },
  {
    name: 'unknown fields are ignored',
    text: 'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n\n',
    events: [message('test\n\ntest')],
  },
  {
    name: 'one leading space is dropped, and no tab',
    text: 'data:\ttest\rdata: \ndata:test\n\n\n',
    events: [message('\ttest\n\ntest')],
  },
  {
    name: 'CR, LF and CRLF end lines',
    text: 'data:test\r\ndata\ndata:test\r\n\r\n',
    events: [message('test\n\ntest')],
  },
  { name: 'NUL is data', text: 'data:\0\n\n\n\n', events: [message('\0')] },
  { name: 'the text is UTF-8', text: 'data:ok…\n\n', events: [message('ok…')] },
]

for (const { name, text, events, lastId, retryMs } of cases) {
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
