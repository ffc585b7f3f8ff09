import { KEEPS_NOTHING, nodePeer, tokenOf } from './node-peer.js'
import { installedVersion } from './repository.js'

/** What one builds on the first day: a Fastify route that calls `reply.sse()` for each subscriber in turn. */
export const naive = nodePeer({
  name: 'naive',
  describe: () =>
    `reply.sse() for each subscriber: ${installedVersion('fastify')}, ${installedVersion('fastify-sse-v2')}`,
  missing: () => undefined,
  cannot: KEEPS_NOTHING,
  program: programs => programs.naive,
  stream: audience => ({ kind: 'stream', path: `/v1/stream?token=${tokenOf(audience)}`, ready: 'event' }),
})
