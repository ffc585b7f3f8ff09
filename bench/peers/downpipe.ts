import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import type { Message, Peer, Server, ServerSetting, Target } from './peer.js'
import { repositoryPath } from './repository.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'
const program = repositoryPath('dist/cli.js')

/** Our own server, as it is built now, with its defaults. */
export const downpipe: Peer = {
  name: 'downpipe',
  describe: () => 'downpipe of this commit, one process, memory log',
  missing: () => (existsSync(program) ? undefined : 'dist/cli.js is not built'),
  async start(setting) {
    return launch(setting, await findFreePort(), randomBytes(24).toString('hex'))
  },
}

async function launch(setting: ServerSetting, port: number, key: string): Promise<Server> {
  const options = {
    '--listen': `${HOST}:${port}`,
    '--service-key': key,
    '--auth-url': setting.authUrl,
    // All subscribers of the bench come from one address.
    '--verify-rate': '0',
    '--log-level': 'warn',
  }
  const command = [setting.node, program, 'serve', ...Object.entries(options).flat()]
  const child = new Child('downpipe', command, { core: setting.core })
  await untilReady(child, `http://${HOST}:${port}/readyz`)
  const publish = (body: string) => ({
    path: '/v1/publish',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body,
  })
  return {
    host: HOST,
    port,
    stream: audience => ({ kind: 'stream', path: `/v1/stream?token=${tokens[audience]}`, ready: 'event' }),
    poll: audience => ({
      kind: 'poll',
      path: `/v1/poll?token=${tokens[audience]}&since={since}&v={v}`,
      ready: 'event',
    }),
    ended: child.ended,
    pids: () => processTree(child.pid),
    publish: (target, data) => publish(messageTo(target, data)),
    publishAmong: (target, data, others) =>
      publish(`[${[messageTo(target, data), ...others.map(toChannel)].join(',')}]`),
    healthPath: '/healthz',
    async crash() {
      child.kill()
      await child.ended
      return launch(setting, port, key)
    },
    stop: () => child.end(),
  }
}

/** Known to the stand-in for the CMS: see `auth-server.ts`. */
const tokens = { shared: 't{n}', spread: 'c{n}' } as const

function messageTo(target: Target, data: string): string {
  return target === 'all' ? `{"broadcast":true,"data":${data}}` : toChannel({ ...target, data })
}

function toChannel({ channel, data }: Message): string {
  return `{"channel":${JSON.stringify(channel)},"data":${data}}`
}
