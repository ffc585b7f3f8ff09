import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import type { Peer } from './peer.js'
import { repositoryPath } from './repository.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'
const program = repositoryPath('dist/cli.js')

/** Our own server, as it is built now, with its defaults. */
export const downpipe: Peer = {
  name: 'downpipe',
  describe: () => 'downpipe of this commit, one process, memory log',
  missing: () => (existsSync(program) ? undefined : 'dist/cli.js is not built'),
  async start({ authUrl, core }) {
    const port = await findFreePort()
    const key = randomBytes(24).toString('hex')
    const options = {
      '--listen': `${HOST}:${port}`,
      '--service-key': key,
      '--auth-url': authUrl,
      // All subscribers of the bench come from one address.
      '--verify-rate': '0',
      '--log-level': 'warn',
    }
    const child = new Child(
      'downpipe',
      [process.execPath, program, 'serve', ...Object.entries(options).flat()],
      {
        core,
      },
    )
    await untilReady(child, `http://${HOST}:${port}/readyz`)
    return {
      host: HOST,
      port,
      stream: { path: '/v1/stream?token=t{n}', ready: 'event' },
      ended: child.ended,
      pids: () => (child.pid === undefined ? [] : [child.pid]),
      publish: (target, data) => ({
        path: '/v1/publish',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: `{${target === 'all' ? '"broadcast":true' : `"channel":${JSON.stringify(target.channel)}`},"data":${data}}`,
      }),
      stop: () => child.end(),
    }
  },
}
