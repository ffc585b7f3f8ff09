import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'

/** How to start a process. */
export interface ChildOptions {
  /** Core to pin it to; `undefined`: wherever the kernel likes. */
  readonly core: number | undefined
  /** How it takes messages and sends them, if it does: over Node's own channel, or as JSON lines on its standard input and output. */
  readonly channel?: 'ipc' | 'lines'
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
  readonly #hasLines: boolean
  #output = ''

  constructor(name: string, command: readonly string[], options: ChildOptions) {
    this.name = name
    const pin = options.core === undefined ? [] : ['taskset', '-c', String(options.core)]
    const [file = '', ...args] = [...dyingWithParent, ...pin, ...command]
    this.#hasLines = options.channel === 'lines'
    this.#process = spawn(file, args, {
      stdio: [
        this.#hasLines ? 'pipe' : 'ignore',
        'pipe',
        'pipe',
        ...(options.channel === 'ipc' ? (['ipc'] as const) : []),
      ],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text.toString()).slice(-KEPT_OUTPUT)
    }
    if (!this.#hasLines) this.#process.stdout?.on('data', keep)
    // A write to a process that has ended fails silently: `ended` says so.
    this.#process.stdin?.on('error', () => {})
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
    if (this.#hasLines) this.#process.stdin?.write(`${JSON.stringify(message)}\n`)
    else this.#process.send?.(message, () => {})
  }

  /** Calls `listener` with each message that it sends. */
  onMessage(listener: (message: unknown) => void): void {
    if (this.#process.stdout === null || !this.#hasLines) this.#process.on('message', listener)
    else createInterface(this.#process.stdout).on('line', line => listener(JSON.parse(line)))
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
