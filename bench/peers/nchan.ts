import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SHARED_CHANNELS } from '../load/auth-server.js'
import { Child } from '../machine/child.js'
import { findFreePort } from '../machine/free-port.js'
import { processTree } from '../machine/process-usage.js'
import { nchanConfig } from './nchan-config.js'
import type { Peer } from './peer.js'
import { untilReady } from './until-ready.js'

const HOST = '127.0.0.1'
const KEY = 'nchan'

/** Where Debian, Fedora and those who compile it themselves have the module. */
const MODULES = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/nginx/modules'].map(
  folder => `${folder}/ngx_nchan_module.so`,
)

/** nginx with its Nchan module, written in C: channels in shared memory, one process. */
export const nchan: Peer = {
  name: 'nchan',
  describe: () =>
    `${nginxVersion() ?? 'nginx'} with Nchan ${nchanVersion()}, one process, messages in memory`,
  cannot: {
    poll: 'its long-polling has a form of its own',
    storm: 'it cannot say that something may be missing',
    resume: 'it takes one message a request',
  },
  missing() {
    if (nginxVersion() === undefined) return 'there is no nginx'
    return modulePath() === undefined ? 'there is no Nchan module for nginx (libnginx-mod-nchan)' : undefined
  },
  async start({ authUrl, core }) {
    const port = await findFreePort()
    const folder = mkdtempSync(join(tmpdir(), 'downpipe-bench-nchan-'))
    const config = nchanConfig({
      modulePath: modulePath() ?? '',
      folder,
      host: HOST,
      port,
      authUrl,
      key: KEY,
      sharedChannels: SHARED_CHANNELS,
    })
    writeFileSync(join(folder, 'nginx.conf'), config)
    const child = new Child(
      'nchan',
      [nginxPath(), '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
      { core },
    )
    void child.ended.then(() => rmSync(folder, { recursive: true, force: true }))
    await untilReady(child, `http://${HOST}:${port}/readyz`)
    return {
      host: HOST,
      port,
      stream: audience => ({
        kind: 'stream',
        path: audience === 'shared' ? '/stream/{n}?token=t{n}' : '/spread/{n}/{0}/{1}/{2}/{3}/{4}?token=c{n}',
        ready: 'head',
      }),
      ended: child.ended,
      pids: () => processTree(child.pid),
      publish: (target, data) => ({
        // It knows no broadcast: all subscribers are on each of the shared channels.
        path: `/publish/${target === 'all' ? SHARED_CHANNELS[0] : target.channel}`,
        headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
        body: data,
      }),
      async stop() {
        // Without a master process, Nchan frees something twice when it is asked to end. It has nothing to save.
        child.kill()
        await child.ended
        return true
      },
    }
  },
}

function modulePath(): string | undefined {
  return MODULES.find(path => existsSync(path))
}

/** Debian has it where not everybody's PATH looks. */
function nginxPath(): string {
  return existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
}

function nginxVersion(): string | undefined {
  const { stderr } = spawnSync(nginxPath(), ['-v'], { encoding: 'utf8' })
  return /nginx\/[\d.]+/.exec(stderr ?? '')?.[0].replace('/', ' ')
}

/** Only the package knows: the module says its version to requests alone. */
function nchanVersion(): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Version}', 'libnginx-mod-nchan'], {
    encoding: 'utf8',
  })
  return stdout || 'of unknown version'
}
