import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import type { Programs } from '../machine/programs.js'
import type { Asking, Audience, Peer } from './peer.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'

/** What one of the servers that Node runs has of its own. */
export interface NodePeer
  extends Pick<Peer, 'name' | 'describe' | 'missing' | 'cannot' | 'needsNativeReader'> {
  /** Where its program is. It is given a port, the auth URL and the key that publishers show. */
  program(programs: Programs): string
  /** How a subscriber asks it. */
  stream(audience: Audience): Asking
}

/** A server of a few lines that is run by Node, and published to in the form of `publish-body.ts`. */
export function nodePeer({ program, stream, ...peer }: NodePeer): Peer {
  const key = peer.name
  return {
    ...peer,
    async start({ authUrl, core, node, programs }) {
      const port = await findFreePort()
      const child = new Child(peer.name, [node, program(programs), String(port), authUrl, key], { core })
      await untilReady(child, `http://${HOST}:${port}/readyz`)
      return {
        host: HOST,
        port,
        stream,
        ended: child.ended,
        pids: () => processTree(child.pid),
        publish: (target, data) => ({
          path: '/v1/publish',
          headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
          body: `{${target === 'all' ? '"broadcast":true' : `"channel":${JSON.stringify(target.channel)}`},"data":${data}}`,
        }),
        healthPath: '/readyz',
        stop: () => child.end(),
      }
    },
  }
}

/** The token of subscriber `{n}`, as the stand-in for the CMS knows it: see `auth-server.ts`. */
export function tokenOf(audience: Audience): string {
  return audience === 'shared' ? 't{n}' : 'c{n}'
}

/** What a server that only passes messages on has no part in. */
export const KEEPS_NOTHING = {
  poll: 'it has streams only',
  storm: 'it keeps no messages, and there is nothing to return to',
  resume: 'it keeps no messages',
} as const
