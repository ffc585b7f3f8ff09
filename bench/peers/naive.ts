import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
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
  async start({ authUrl, core, programs }) {
    const port = await findFreePort()
    const child = new Child('naive', [process.execPath, programs.naive, String(port), authUrl, KEY], { core })
    await untilReady(child, `http://${HOST}:${port}/readyz`)
    return {
      host: HOST,
      port,
      stream: { path: '/v1/stream?token=t{n}', ready: 'event' },
      ended: child.ended,
      pids: () => (child.pid === undefined ? [] : [child.pid]),
      publish: (target, data) => ({
        path: '/v1/publish',
        headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
        body: `{${target === 'all' ? '"broadcast":true' : `"channel":${JSON.stringify(target.channel)}`},"data":${data}}`,
      }),
      stop: () => child.end(),
    }
  },
}
