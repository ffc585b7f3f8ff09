import { betterSse } from './better-sse.js'
import { cLoop } from './c-loop.js'
import { downpipe } from './downpipe.js'
import { naive } from './naive.js'
import { nchan, nchanSingle } from './nchan.js'
import type { Peer } from './peer.js'
import { socketIo } from './socket-io.js'

/** Everything that can be measured, ours first. A new peer is a file and a line here. */
export const PEERS: readonly Peer[] = [downpipe, nchan, nchanSingle, socketIo, betterSse, naive, cLoop]
