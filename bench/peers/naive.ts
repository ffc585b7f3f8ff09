import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import type { Peer } from './peer.js'
import { installedVersion } from './repository.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'
const KEY = 'naive'

/** What one builds on the first day: a Fastify route that calls `reply.sse()` for each subscriber in turn. */
export const naive: Peer = {
  name: 'naive',
  describe: () =>
    `reply.sse() for each subscriber: ${installedVersion('fastify')}, ${installedVersion('fastify-sse-v2')}`,
  missing: () => undefined,
  cannot: {
    poll: 'it has streams only',
    storm: 'it keeps no messages, and there is nothing to return to',
    resume: 'it keeps no messages',
  },
  async start({ authUrl, core, node, programs }) {
    const port = await findFreePort()
    const child = new Child('naive', [node, programs.naive, String(port), authUrl, KEY], { core })
    await untilReady(child, `http://${HOST}:${port}/readyz`)
    return {
      host: HOST,
      port,
      stream: audience => ({
        kind: 'stream',
        path: `/v1/stream?token=${audience === 'shared' ? 't' : 'c'}{n}`,
        ready: 'event',
      }),
      ended: child.ended,
      healthPath: '/readyz',
      pids: () => processTree(child.pid),
      publish: (target, data) => ({
        path: '/v1/publish',
        headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
        body: `{${target === 'all' ? '"broadcast":true' : `"channel":${JSON.stringify(target.channel)}`},"data":${data}}`,
      }),
      stop: () => child.end(),
    }
  },
}
