import { Child } from '../machine/child.js'
import { compileNative } from '../machine/compiler.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import type { Peer } from './peer.js'
import { repositoryPath } from './repository.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'
const program = repositoryPath('dist/bench/c-loop')
const ALONE = 'it has neither tokens nor channels, and keeps nothing'

/** A loop of `send()` in C that does nothing else (`c-loop.c`): what the machine can do, and no server to compare with. */
export const cLoop: Peer = {
  name: 'c-loop',
  describe: () => 'the limit: a loop of send() in C, without tokens, channels or a log',
  missing: () => compileNative([repositoryPath('bench/peers/c-loop.c')], program),
  cannot: { connections: ALONE, steady: ALONE, poll: ALONE, storm: ALONE, resume: ALONE },
  async start({ core }) {
    const port = await findFreePort()
    const child = new Child('c-loop', [program, String(port)], { core })
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
