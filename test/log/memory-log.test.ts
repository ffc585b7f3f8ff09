import t from 'tap'
import { MemoryLog } from '../../src/log/memory-log.js'
import { messageLogSuite } from '../conformance/message-log.js'
import { FakeClock } from '../helpers/clock.js'

messageLogSuite(t, {
  create: async options => {
    const clock = new FakeClock()
    const log = new MemoryLog({ clock, ...options })
    return { log, other: log, clock }
  },
})
