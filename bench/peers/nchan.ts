import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SHARED_CHANNELS } from '../load/auth-server.js'
import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import { nchanConfig } from './nchan-config.js'
import { tokenOf } from './node-peer.js'
import type { Audience, Peer, Server, ServerSetting } from './peer.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'
const KEY = 'nchan'
const TO_ALL = SHARED_CHANNELS[0]

/** Where Debian, Fedora and those who compile it themselves have the module. */
const MODULES = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/nginx/modules'].map(
  folder => `${folder}/ngx_nchan_module.so`,
)

/** Debian has it where not everybody's PATH looks. */
const nginx = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'

const SAYS_NO_GAP = 'it does not tell subscribers that messages are gone'

/** nginx with its Nchan module, in C: six channels a subscriber, which it multiplexes. */
export const nchan: Peer = {
  name: 'nchan',
  describe: () => `${description()}, six channels for each subscriber`,
  missing,
  // With 5,000 pollers it resets their connections, and with them those of publishers.
  most: { poll: 2_000 },
  cannot: { storm: SAYS_NO_GAP, resume: 'it takes one message a request' },
  start: setting =>
    start(setting, { subscribed: audience => channels[audience], published: channel => channel }),
}

/**
 * The same with one channel for all, and no other: Nchan at its fastest. A set of channels is one more channel to it, with a
 * subscription to each of the set, and a message takes both ways.
 */
export const nchanSingle: Peer = {
  ...nchan,
  name: 'nchan-single',
  describe: () => `${description()}, one channel for all and none of anybody's own`,
  cannot: { ...nchan.cannot, steady: 'it has one channel only' },
  start: setting => start(setting, { subscribed: () => TO_ALL, published: () => TO_ALL }),
}

/** Which of Nchan's channels stand for those of the bench. */
interface Channels {
  /** Those that subscriber `{n}` asks for. */
  subscribed(audience: Audience): string
  /** The one that a message to a channel goes to. */
  published(channel: string): string
}

/** The channels of subscriber `{n}`. */
const channels: Readonly<Record<Audience, string>> = {
  shared: `${SHARED_CHANNELS.join(',')},own_{n}`,
  spread: 'c{0},c{1},c{2},c{3},c{4},own_{n}',
}

async function start({ authUrl, core }: ServerSetting, { subscribed, published }: Channels): Promise<Server> {
  const port = await findFreePort()
  const folder = mkdtempSync(join(tmpdir(), 'downpipe-bench-nchan-'))
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    nchanConfig({ modulePath: modulePath() ?? '', folder, host: HOST, port, authUrl, key: KEY }),
  )
  const child = new Child('nchan', [nginx, '-p', folder, '-c', file, '-e', 'stderr'], { core })
  void child.ended.then(() => rmSync(folder, { recursive: true, force: true }))
  await untilReady(child, `http://${HOST}:${port}/readyz`)
  return {
    host: HOST,
    port,
    stream: audience => ({
      kind: 'stream',
      path: `/stream/${subscribed(audience)}?token=${tokenOf(audience)}`,
      ready: 'head',
    }),
    poll: audience => ({
      kind: 'nchan-poll',
      path: `/poll/${subscribed(audience)}?token=${tokenOf(audience)}`,
      ready: 'head',
    }),
    ended: child.ended,
    pids: () => processTree(child.pid),
    publish: (target, data) => ({
      // It knows no broadcast, but all subscribers are on this channel.
      path: `/publish/${published(target === 'all' ? TO_ALL : target.channel)}`,
      headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
      body: data,
    }),
    healthPath: '/readyz',
    async stop() {
      // Without a master process, Nchan frees something twice when it is asked to end. It has nothing to save.
      child.kill()
      await child.ended
      return true
    },
  }
}

function missing(): string | undefined {
  if (nginxVersion() === undefined) return 'there is no nginx'
  return modulePath() === undefined ? 'nginx has no Nchan module (libnginx-mod-nchan)' : undefined
}

function modulePath(): string | undefined {
  return MODULES.find(path => existsSync(path))
}

function description(): string {
  return `${nginxVersion() ?? 'nginx'} with Nchan ${nchanVersion()}, one process, messages in memory`
}

function nginxVersion(): string | undefined {
  const { stderr } = spawnSync(nginx, ['-v'], { encoding: 'utf8' })
  return /nginx\/[\d.]+/.exec(stderr ?? '')?.[0].replace('/', ' ')
}

/** Only the package knows: the module tells its version to requests alone. */
function nchanVersion(): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', 'libnginx-mod-nchan'], {
    encoding: 'utf8',
  })
  return /\t(.+)/.exec(stdout ?? '')?.[1] ?? 'of unknown version'
}
