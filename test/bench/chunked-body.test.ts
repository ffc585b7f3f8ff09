import t from 'tap'
import { ChunkedBody } from '../../bench/load/chunked-body.js'

const chunked = Buffer.from(
  '5\r\nhello\r\n1a;name=value\r\n, \r\n this is 0\r\n chunked\r\n\r\n0\r\n\r\nignored',
)
const content = 'hello, \r\n this is 0\r\n chunked\r\n'

t.test('chunk framing is taken off, wherever the reads are cut', async t => {
  for (let cut = 0; cut <= chunked.length; cut++) {
    const body = new ChunkedBody()
    let text = ''
    const take = (bytes: Uint8Array, from: number, to: number) => {
      text += Buffer.from(bytes.subarray(from, to)).toString()
    }
    body.feed(chunked, 0, cut, take)
    body.feed(chunked, cut, chunked.length, take)
    t.equal(text, content)
    t.ok(body.ended)
  }
})

t.test('a body has not ended before its last chunk', async t => {
  const body = new ChunkedBody()
  body.feed(chunked, 0, chunked.indexOf('\r\n0\r\n') + 2, () => {})
  t.notOk(body.ended)
})
