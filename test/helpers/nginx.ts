import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './calls.js'
import { freePort } from './listening.js'

/** Where Debian has it; not everybody's PATH does. */
const debianPath = '/usr/sbin/nginx'

/**
 * Runs nginx until the standard input ends: with `close`, or with the process that runs the tests, however that ends. Otherwise a
 * test that is cut off would leave it behind.
 */
const guard = 'exec 3<&0; "$@" & pid=$!; { read -r _; kill $pid; } <&3 & wait $pid'

/** An nginx of our own in front of a server. */
export interface Nginx {
  readonly url: string
  close(): Promise<void>
}

/** Starts nginx as Debian configures it, with `locations` as the only addition. */
export async function startNginx(locations: string): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'downpipe-nginx-'))
  // The workers of a master that root started are somebody else.
  await chmod(directory, 0o755)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    await writeFile(join(directory, 'nginx.conf'), configuration(directory, port, locations))
    const nginx = await run(directory, port)
    if (nginx !== undefined) {
      return {
        url: `http://127.0.0.1:${port}`,
        close: async () => {
          const ended = once(nginx, 'exit')
          nginx.stdin?.end()
          await ended
          await rm(directory, { recursive: true })
        },
      }
    }
    if (attempt < 3) continue
    const log = await readFile(join(directory, 'error.log'), 'utf8').catch(() => 'is it installed?')
    throw new Error(`nginx does not start: ${log}`)
  }
}

/** The process, once it listens; undefined when it ended instead (the port was taken in the meantime). */
async function run(directory: string, port: number): Promise<ChildProcess | undefined> {
  const command = existsSync(debianPath) ? debianPath : 'nginx'
  const files = ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')]
  const nginx = spawn('/bin/sh', ['-c', guard, 'sh', command, ...files], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  let isOver = false
  const over = () => {
    isOver = true
  }
  nginx.once('error', over)
  nginx.once('exit', over)
  await until('nginx', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/nothing-is-here`).catch(() => undefined)
    return isOver || answer !== undefined
  })
  if (!isOver) return nginx
  nginx.stdin?.end()
  return undefined
}

/** Debian's nginx.conf without TLS; files that it writes are in the directory. */
function configuration(directory: string, port: number, locations: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${directory}/${name};`,
  )
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 768; }
http {
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  default_type application/octet-stream;
  access_log off;
  gzip on;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${locations}
  }
}
`
}
