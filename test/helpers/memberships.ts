import { Memberships } from '../../src/auth/memberships.js'
import type { Clock } from '../../src/clock.js'
import { MemoryState } from '../../src/state/memory-state.js'

/** Memberships of a site in which nobody has any. */
export function noMemberships(clock: Clock): Memberships {
  return new Memberships({ clock, state: new MemoryState(clock), maxChannels: 10, isConnected: () => false })
}
