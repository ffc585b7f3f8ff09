import { createParser, type EventSourceMessage } from 'eventsource-parser'
import t from 'tap'
import { Frame } from '../src/frame.js'
import { parseMessages } from '../src/message.js'
import { nastyData, nastyNames } from './helpers/nasty.js'

const cursor = { ms: 1_763_762_400_000, n: 5_511 }

/** The events in a stream's bytes, as a reader that nobody here wrote takes them, in pieces of `size` bytes. */
function parse(bytes: Buffer, size = bytes.length): readonly EventSourceMessage[] {
  const events: EventSourceMessage[] = []
  const parser = createParser({
    onEvent: event => events.push(event),
    onError: error => {
      throw error
    },
  })
  const decoder = new TextDecoder()
  for (let start = 0; start < bytes.length; start += size) {
    parser.feed(decoder.decode(bytes.subarray(start, start + size), { stream: true }))
  }
  return events
}

/** The frame of a published message. */
function published(body: unknown): Frame {
  const limits = { maxDataBytes: 10_000_000, maxMessages: 1, maxChannelBytes: 1_000 }
  const [message] = parseMessages(body, limits)
  return new Frame('message', cursor, message?.json ?? '')
}

t.test('a frame is what the specification says, byte by byte', async t => {
  t.equal(
    new Frame('message', cursor, '{"data":1}').bytes.toString(),
    'id: 1763762400000-5511\ndata: {"data":1}\n\n',
  )
  t.equal(
    new Frame('ready', cursor, '{}').bytes.toString(),
    'event: ready\nid: 1763762400000-5511\ndata: {}\n\n',
  )
  t.equal(new Frame('close', undefined, '{}').bytes.toString(), 'event: close\ndata: {}\n\n')
  t.equal(
    new Frame('heartbeat', cursor, '').bytes.toString(),
    'event: heartbeat\nid: 1763762400000-5511\ndata: \n\n',
  )
})

t.test('a frame knows the text that it carries', async t => {
  for (const json of ['', '{}', '"ünï 😀"']) {
    t.equal(new Frame('message', cursor, json).json, json)
    t.equal(new Frame('heartbeat', undefined, json).json, json)
  }
})

t.test('every kind of event is read as that event; a message is nothing but a message', async t => {
  for (const event of ['ready', 'heartbeat', 'gap', 'close'] as const) {
    t.strictSame(parse(new Frame(event, cursor, '{}').bytes), [
      { event, id: '1763762400000-5511', data: '{}' },
    ])
  }
  t.strictSame(parse(new Frame('heartbeat', cursor, '').bytes), [
    { event: 'heartbeat', id: '1763762400000-5511', data: '' },
  ])
  t.match(parse(new Frame('message', undefined, '1').bytes), [{ event: undefined, id: undefined, data: '1' }])
})

t.test('whatever a message holds, it is one event and comes out as it went in', async t => {
  for (const data of nastyData) {
    const events = parse(published({ channel: 'news', data }).bytes)
    t.equal(events.length, 1)
    t.equal(events[0]?.event, undefined)
    t.equal(events[0]?.id, '1763762400000-5511')
    t.equal(events[0]?.data, JSON.stringify({ channel: 'news', data }))
    t.equal(JSON.stringify(JSON.parse(events[0]?.data ?? '').data), JSON.stringify(data))
  }
})

t.test('nor can a type, a callback, a page or a channel add a field or an event', async t => {
  for (const name of nastyNames.filter(name => name !== '')) {
    const said = { callback: [name], type: name, except: name }
    const events = parse(published({ broadcast: true, ...said }).bytes)
    t.equal(events.length, 1)
    t.strictSame(JSON.parse(events[0]?.data ?? ''), { data: null, ...said })
  }
  for (const channel of ['\ud83d', '\u2028', '\ufeff', 'data: x', '__proto__', '"']) {
    t.strictSame(JSON.parse(parse(published({ channel }).bytes)[0]?.data ?? ''), { channel, data: null })
  }
})

t.test('frames behind one another are as many events, however the bytes are cut', async t => {
  const small = nastyData.filter(data => JSON.stringify(data).length < 10_000)
  const bytes = Buffer.concat(small.map(data => published({ channel: 'news', data }).bytes))
  for (const size of [1, 3, 7, 4_096]) {
    t.strictSame(
      parse(bytes, size).map(({ data }) => data),
      small.map(data => JSON.stringify({ channel: 'news', data })),
    )
  }
})
