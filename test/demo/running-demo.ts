import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const MAIN = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url))

/** The demo as a user runs it, in a process of its own. */
export interface RunningDemo {
  readonly cmsUrl: string
  readonly pushUrl: string
  readonly serviceKey: string
  /** Ctrl-C. Resolves with the exit code and with what the demo had written to standard error. */
  interrupt(): Promise<{ code: number | null; stderr: string }>
}

/** Starts the built demo and waits until it says where it is. The test's end stops it. */
export async function startDemo(t: Test, ports = { cms: '0', push: '0' }): Promise<RunningDemo> {
  const child = spawnDemo(['--port', ports.cms, '--push-port', ports.push])
  const ended = outcome(child)
  t.teardown(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await ended
  })
  const banner = await Promise.race([
    readBanner(child),
    ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ])
  return {
    cmsUrl: find(banner, /The demo CMS +(\S+)/),
    pushUrl: find(banner, /The push service +(\S+)/),
    serviceKey: find(banner, /Bearer ([\w-]+)/),
    interrupt() {
      child.kill('SIGINT')
      return ended
    },
  }
}

/** Runs the demo with these arguments until it ends by itself. */
export async function runDemo(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  return outcome(spawnDemo(args))
}

function spawnDemo(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function outcome(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  await once(child, 'close')
  return { code: child.exitCode, stderr }
}

function readBanner(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    let banner = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      banner += text
      if (banner.includes('Ctrl-C')) resolve(banner)
    })
  })
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`the demo did not say ${pattern}:\n${text}`)
  return found
}
