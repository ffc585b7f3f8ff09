import t from 'tap'
import { transportSuite } from '../conformance/transport.js'
import { PollReader } from '../helpers/poll-reader.js'

transportSuite(t, {
  connect: (url, ask) => new PollReader(url, ask),
  expired: { event: 'refused', data: { status: 401, body: { code: 'DOWNPIPE_TOKEN_REFUSED' } } },
})
