import type { Test } from 'tap'
import { commands } from '../../src/commands/index.js'
import type { Terminal } from '../../src/commands/terminal.js'
import { deadlineMs } from './reader.js'

/** What a command may find around it. */
export interface Around {
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly input?: string
}

/** A command that runs in this process. */
export class RunningCommand {
  /** Its exit code. */
  readonly exit: Promise<number>
  out = ''
  err = ''
  readonly #interruption = new AbortController()
  #look = () => {}

  constructor(t: Test, argv: readonly string[], { env = {}, files = {}, input = '' }: Around = {}) {
    const [name = '', ...rest] = argv
    const command = commands.find(candidate => candidate.name === name)
    if (command === undefined) throw new Error(`there is no command ${name}`)
    const terminal: Terminal = {
      env,
      readFile: path => {
        const text = files[path]
        if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
        return text
      },
      readInput: async () => input,
      write: text => {
        this.out += text
        this.#look()
      },
      complain: text => {
        this.err += text
        this.#look()
      },
      interruption: () => this.#interruption.signal,
    }
    this.exit = command.run(rest, terminal)
    this.exit.finally(() => this.#look()).catch(() => {})
    t.teardown(async () => {
      this.interrupt()
      await this.exit
    })
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#interruption.abort()
  }

  /** Waits until one of the outputs matches. */
  says(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`not in time: ${pattern}: ${this.out}${this.err}`)),
        deadlineMs,
      )
      this.#look = () => {
        if (!pattern.test(this.out) && !pattern.test(this.err)) return
        clearTimeout(late)
        resolve()
      }
      this.#look()
    })
  }
}

/** What a command that has ended left behind. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command to its end. */
export async function run(t: Test, argv: readonly string[], around: Around = {}): Promise<Ended> {
  const running = new RunningCommand(t, argv, around)
  const code = await running.exit
  return { code, out: running.out, err: running.err }
}
