import t from 'tap'
import { transportSuite } from '../conformance/transport.js'
import { SseReader } from '../helpers/sse-reader.js'

transportSuite(t, {
  connect: (url, ask) => new SseReader(url, ask),
  expired: { event: 'close', data: { reason: 'expired', reconnect: true } },
})
