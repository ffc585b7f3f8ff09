import t from 'tap'
import { MemoryState } from '../../src/state/memory-state.js'
import { siteStateSuite } from '../conformance/site-state.js'
import { FakeClock } from '../helpers/clock.js'

siteStateSuite(t, {
  create: async () => {
    const clock = new FakeClock()
    const state = new MemoryState(clock)
    return { state, other: state, clock }
  },
})
