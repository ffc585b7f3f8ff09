import type { Test } from 'tap'
import { type Cms, startCms } from './cms.js'
import { CommandLine } from './command-line.js'

/** What must never be logged holds this word: every key, token and query of the tests that watch the log. */
export const secret = 'seCret'

/** The service key of a watched server. */
export const watchedKey = `${secret}-service-key`

/** An answer with a JSON body. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A server in a process of its own, all of whose log can be looked at. */
export class WatchedServer {
  readonly url: string
  readonly cms: Cms
  readonly #cli: CommandLine

  constructor(url: string, cms: Cms, cli: CommandLine) {
    this.url = url
    this.cms = cms
    this.#cli = cli
  }

  /** What it logged so far. */
  get log(): string {
    return this.#cli.out
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.url + path, init)
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  /** Posts with the service key. */
  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    const usual = { 'content-type': 'application/json', authorization: `Bearer ${watchedKey}` }
    return this.ask(path, { method: 'POST', body, headers: { ...usual, ...headers } })
  }

  /** Stops it and asserts that it ran until then, that it found no fault of its own, and that it kept all secrets. */
  async assertQuiet(t: Test): Promise<void> {
    t.match(await this.ask('/healthz'), { status: 200 })
    this.#cli.kill('SIGTERM')
    t.strictSame(await this.#cli.exit, { code: 0, signal: null })
    const lines = this.#cli.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    t.match(lines.at(-1), { msg: 'stopped' })
    t.strictSame(
      lines.filter(({ level }) => level >= 50),
      [],
    )
    const written = this.#cli.out + this.#cli.err
    t.notMatch(written, new RegExp(secret, 'i'))
    t.notMatch(written, /token=|channel=/)
  }
}

/** Starts a server whose log is watched; it ends with the test. */
export async function startWatchedServer(t: Test, ...options: readonly string[]): Promise<WatchedServer> {
  const cms = await startCms()
  t.teardown(() => cms.close())
  const given = [
    '--listen=127.0.0.1:0',
    '--log-level=debug',
    `--service-key=${watchedKey}`,
    `--auth-url=${cms.url}`,
    ...options,
  ]
  const cli = new CommandLine(t, given)
  const [url = ''] = await cli.urls()
  return new WatchedServer(url, cms, cli)
}

/** The pattern of an answer with an error from the one table. */
export function errorAnswer(status: number, code: string, message: RegExp | string = /./): object {
  return { status, body: { statusCode: status, code: `DOWNPIPE_${code}`, error: String, message } }
}

/** The pattern of a 400. */
export function invalidRequest(message: RegExp | string): object {
  return errorAnswer(400, 'INVALID_REQUEST', message)
}
