import t from 'tap'
import { EventParser } from '../../src/remote/event-parser.js'

const stream =
  '\uFEFFretry: 2143\n\nevent: ready\r\nid: 1-1\r\ndata: {"a":1}\r\n\r\n: comment\rdata:ä\u2028🙂\rdata\r\r' +
  'event: heartbeat\nid: 1-2\ndata:\n\nid: 1-3\n\nevent: lost\n\ndata: x\n\ndata: never ended\n'

const expected = [
  { event: 'ready', id: '1-1', data: '{"a":1}' },
  { event: 'message', id: undefined, data: 'ä\u2028🙂\n' },
  { event: 'heartbeat', id: '1-2', data: '' },
  { event: 'message', id: '1-3', data: 'x' },
]

t.test('a stream reads the same however its bytes are cut', async t => {
  const bytes = new TextEncoder().encode(stream)
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const parser = new EventParser()
    const events = []
    for (let start = 0; start < bytes.length; start += size)
      events.push(...parser.push(bytes.subarray(start, start + size)))
    t.strictSame(events, expected, `pieces of ${size}`)
    t.equal(parser.retryMs, 2143)
  }
})

t.test('what is no time is no retry, and an id with a NUL is none', async t => {
  const parser = new EventParser()
  const bytes = new TextEncoder().encode('retry: soon\nid: a\0b\nnonsense: 1\ndata: 1\n\n')
  t.strictSame(parser.push(bytes), [{ event: 'message', id: undefined, data: '1' }])
  t.equal(parser.retryMs, undefined)
})
