import { KEEPS_NOTHING, nodePeer, tokenOf } from './node-peer.js'
import { installedVersion, isInstalled } from './repository.js'

/** The better-sse library, with its channels. */
export const betterSse = nodePeer({
  name: 'better-sse',
  describe: () => `${installedVersion('better-sse')}, a channel of its for each of ours`,
  missing: () => (isInstalled('better-sse') ? undefined : 'the package better-sse is not installed'),
  cannot: KEEPS_NOTHING,
  program: programs => programs.betterSse,
  stream: audience => ({ kind: 'stream', path: `/v1/stream?token=${tokenOf(audience)}`, ready: 'event' }),
})
