import t from 'tap'
import { transportSuite } from '../conformance/transport.js'
import { SseReader } from '../helpers/sse-reader.js'

// Streams whose heads are read by Node's HTTP and answered by the framework, as they always are where the service is embedded. One
// header suffices: a head that says something about a body is none of the plain ones.
transportSuite(t, {
  connect: (url, ask) => new SseReader(url, { ...ask, headers: { ...ask.headers, 'content-length': '0' } }),
  expired: { event: 'close', data: { reason: 'expired', reconnect: true } },
})
