import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import type { Peer } from './peer.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'

/** A loop of `send()` in C that does nothing else (`c-loop.c`): what the machine can do, and no server to compare with. */
export const cLoop: Peer = {
  name: 'c-loop',
  describe: () => 'the limit: a loop of send() in C, without tokens, channels or a log',
  cannot: {
    steady: 'it has no channels',
    poll: 'it has streams only',
    storm: 'it keeps no messages',
    resume: 'it keeps no messages',
  },
  missing: ({ cLoop }) => (cLoop === undefined ? 'there is no C compiler' : undefined),
  async start({ core, programs }) {
    const port = await findFreePort()
    const child = new Child('c-loop', [programs.cLoop ?? '', String(port)], { core })
    await untilReady(child, `http://${HOST}:${port}/readyz`)
    return {
      host: HOST,
      port,
      stream: () => ({ kind: 'stream', path: '/stream', ready: 'event' }),
      ended: child.ended,
      pids: () => processTree(child.pid),
      // Everybody gets everything: what it is used for are messages to all, or to channels that all are on.
      publish: (_target, data) => ({ path: '/publish', headers: {}, body: data }),
      stop: () => child.end(),
    }
  },
}
