import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** How to start a process. */
export interface ChildOptions {
  /** Core to pin it to; `undefined`: wherever the kernel likes. */
  readonly core: number | undefined
  /** Whether it takes messages from the bench. */
  readonly channel?: 'ipc'
}

const KEPT_OUTPUT = 4000
const GRACE_MS = 5000

const running = new Set<Child>()

/** Where the tool for it is there, the kernel ends children of a bench that was killed and could not do it itself. */
const dyingWithParent =
  spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : []

/** A process that the bench has started, and ends. */
export class Child {
  /** What it is called in messages. */
  readonly name: string
  /** Resolves, with a sentence about it, when the process has ended for whatever reason. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess
  #output = ''

  constructor(name: string, command: readonly string[], options: ChildOptions) {
    this.name = name
    const pin = options.core === undefined ? [] : ['taskset', '-c', String(options.core)]
    const [file = '', ...args] = [...dyingWithParent, ...pin, ...command]
    this.#process = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.channel === undefined ? [] : [options.channel])],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text.toString()).slice(-KEPT_OUTPUT)
    }
    this.#process.stdout?.on('data', keep)
    this.#process.stderr?.on('data', keep)
    running.add(this)
    this.ended = new Promise(resolve => {
      const end = (how: string) => {
        running.delete(this)
        resolve(`${name} ended (${how})${this.#output === '' ? '' : `; it said:\n${this.#output.trim()}`}`)
      }
      this.#process.on('error', error => end(error.message))
      this.#process.on('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  /** Its process id; none if it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Sends it a message, which fails silently if it has ended: {@link ended} says so. */
  send(message: object): void {
    this.#process.send?.(message, () => {})
  }

  /** Calls `listener` with each message that it sends. */
  onMessage(listener: (message: unknown) => void): void {
    this.#process.on('message', listener)
  }

  /**
   * Asks it to end, and makes it end if it has not after 5 s.
   *
   * @returns whether it ended when it was asked
   */
  async end(): Promise<boolean> {
    this.#process.kill('SIGTERM')
    let isWilling = true
    const timer = setTimeout(() => {
      isWilling = false
      this.kill()
    }, GRACE_MS)
    await this.ended
    clearTimeout(timer)
    return isWilling
  }

  /** Ends it at once. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

/** Ends at once every process that the bench has started and that still runs. */
export function killAllChildren(): void {
  for (const child of running) child.kill()
}
