import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { deadlineMs } from './reader.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Which program is started: the sources as they are, compiled with the tests, or what `npm run build` made of them. */
export type Entry = 'source' | 'built'

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The program in a process of its own, which ends with the test. */
export class CommandLine {
  readonly exit: Promise<Exit>
  readonly #child: ChildProcess
  #out = ''
  #err = ''
  #look = () => {}

  /** The environment holds what the program needs to start and `env`; nothing of the one who runs the tests. */
  constructor(t: Test, argv: readonly string[], env: Record<string, string> = {}, entry: Entry = 'source') {
    const program = entry === 'built' ? 'dist/cli.js' : '.tap/compiled/src/cli.js'
    this.#child = spawn(process.execPath, [program, ...argv], {
      cwd: root,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text
      this.#look()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text
      this.#look()
    })
    this.exit = new Promise(resolve => {
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal })
        this.#look()
      })
    })
    t.teardown(async () => {
      this.#child.kill('SIGKILL')
      await this.exit
    })
  }

  /** What it wrote to its standard output so far. */
  get out(): string {
    return this.#out
  }

  /** What it wrote to its standard error so far. */
  get err(): string {
    return this.#err
  }

  /** The addresses it listens on, once it says so in its log. */
  async urls(): Promise<readonly string[]> {
    const line = await this.says(/^\{.*"msg":"listening"\}$/m)
    const { urls } = JSON.parse(line)
    return urls
  }

  /** Waits until one of its outputs matches, and gives the match. Rejects when it ends before, or takes too long. */
  says(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}, without ${pattern}: ${this.#out}${this.#err}`))
      const late = setTimeout(() => fail('it took too long'), deadlineMs)
      this.#look = () => {
        const match = pattern.exec(this.#out) ?? pattern.exec(this.#err)
        if (match === null && this.#child.exitCode === null && this.#child.signalCode === null) return
        clearTimeout(late)
        if (match === null) fail('it ended')
        else resolve(match[0])
      }
      this.#look()
    })
  }

  /** The command that runs, as the system sees it: one that starts over has another. */
  async command(): Promise<readonly string[]> {
    return (await readFile(`/proc/${this.#child.pid}/cmdline`, 'utf8')).split('\0')
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
