import { SHARED_CHANNELS } from '../load/auth-server.js'
import type { Target } from '../peers/peer.js'

/** So many publishers, each to one of the channels that all are on, in turn. */
export function sharedTargets(count: number): readonly Target[] {
  return Array.from({ length: count }, (_, index) => ({
    channel: SHARED_CHANNELS[index % SHARED_CHANNELS.length] ?? SHARED_CHANNELS[0],
  }))
}
