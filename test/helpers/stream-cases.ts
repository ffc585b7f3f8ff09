import type { StreamEvent } from '../../src/client/node/event-stream.js'

/** A stream and what there is in it. */
export interface StreamCase {
  readonly name: string
  readonly text: string
  readonly events: readonly StreamEvent[]
  /** The last id that it has named. */
  readonly lastId?: string
  readonly retryMs?: number
}

const message = (data: string, id?: string): StreamEvent => ({ type: 'message', data, id })
const long = 'x'.repeat(2048)

/**
 * Streams of the format that the specification describes, to the letter.
 *
 * Source: the values are those of web-platform-tests, `eventsource/format-*` and `event-data`, with what their server writes around
 * them.
 */
export const streamCases: readonly StreamCase[] = [
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
    text: `data:1\r:\0\n:\r\ndata:2\n:${long}\rdata:3\n:data:fail\r:${long}\ndata:4\n\n`,
    events: [message('1\n2\n3\n4')],
  },
  {
    name: 'what the end of the stream cuts off is not given, nor does its id count',
    text: 'retry:1000\ndata:test1\n\nid:test\ndata:test2',
    events: [message('test1')],
    lastId: '',
    retryMs: 1000,
  },
  {
    name: 'comments, unknown fields and empty lines make no events, an empty data field does',
    text: 'data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n',
    events: [message('msg\nmsg'), message(''), message('end')],
  },
  {
    name: 'an empty data field is data',
    text: 'data:\n\ndata\ndata\n\ndata:test\n\n',
    events: [message(''), message('\n'), message('test')],
  },
  {
    name: 'an event field holds for one event',
    text: 'event:test\ndata:x\n\ndata:x\n\n',
    events: [{ type: 'test', data: 'x', id: undefined }, message('x')],
  },
  { name: 'an empty event field is none', text: 'event: \ndata:data\n\n', events: [message('data')] },
  {
    name: 'an id may be any text',
    text: 'id: …\nretry: 200\ndata: hello\n\n',
    events: [message('hello', '…')],
    lastId: '…',
    retryMs: 200,
  },
  {
    name: 'an id is the last one until another comes',
    text: 'id: 1\ndata: 1\n\nid: 2\ndata:2\n\ndata:3\n\n',
    events: [message('1', '1'), message('2', '2'), message('3')],
    lastId: '2',
  },
  {
    name: 'an empty id is one',
    text: 'id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n',
    events: [message('1', '1'), message('2', ''), message('3')],
    lastId: '',
  },
  {
    name: 'an id field without a colon is an empty one',
    text: 'id: 1\ndata: 1\n\nid\ndata:2\n\n',
    events: [message('1', '1'), message('2', '')],
    lastId: '',
  },
  {
    name: 'an id without data counts',
    text: 'id: 7\n\ndata:a\n\n',
    events: [message('a')],
    lastId: '7',
  },
  ...['\0\0', 'x\0', '\0x', 'x\0x', ' \0'].map(id => ({
    name: `the id ${JSON.stringify(id)} is ignored`,
    text: `id: 1\nid: ${id}\nretry: 200\ndata: hello\n\n`,
    events: [message('hello', '1')],
    lastId: '1',
    retryMs: 200,
  })),
  {
    name: 'fields are named exactly',
    text: 'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n',
    events: [message('\0\n 2\n1\n3\n\n4')],
  },
  {
    name: 'retry is a decimal number',
    text: 'retry:03000\ndata:x\n\n',
    events: [message('x')],
    retryMs: 3000,
  },
  {
    name: 'a retry that is none changes nothing',
    text: 'retry:3000\nretry:1000x\ndata:x\n\n',
    events: [message('x')],
    retryMs: 3000,
  },
  { name: 'an empty retry is none', text: 'retry\ndata:test\n\n', events: [message('test')] },
  {
    name: 'unknown fields are ignored',
    text: 'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n',
    events: [message('test\n\ntest')],
  },
  {
    name: 'one leading space is dropped, and no tab',
    text: 'data:\ttest\rdata: \ndata:test\n\n',
    events: [message('\ttest\n\ntest')],
  },
  {
    name: 'CR, LF and CRLF end lines, and a CR that nothing follows is an end at once',
    text: 'data:test\r\ndata\ndata:test\r\n\r',
    events: [message('test\n\ntest')],
  },
  { name: 'NUL is data', text: 'data:\0\n\n\n\n', events: [message('\0')] },
  { name: 'the text is UTF-8', text: 'data:ok…\n\n', events: [message('ok…')] },
]
