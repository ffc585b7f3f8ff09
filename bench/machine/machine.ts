import { execFileSync } from 'node:child_process'
import os from 'node:os'
import type { Cores } from './cores.js'

/** Where and with what figures were taken. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly kernel: string
  /** Version of the Node that ran the servers. */
  readonly node: string
  /** Commit of this repository, with `+` if files were changed since; `unknown` outside a repository. */
  readonly commit: string
  /** Which cores server and load were pinned to; `none` if they were not. */
  readonly pinned: Cores | 'none'
}

/**
 * Looks at the machine.
 *
 * @param node the Node that runs the servers: path of the program
 */
export function describeMachine(cores: Cores | undefined, node: string): Machine {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: nodeVersion(node),
    commit: commit(),
    pinned: cores ?? 'none',
  }
}

/**
 * The version of a Node.
 *
 * @throws Error if the program is not there, or is none
 */
export function nodeVersion(node: string): string {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
