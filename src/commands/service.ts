import { type Answer, ask, member, parseJson, readText, Unreachable } from '../remote/ask.js'
import type { Target } from '../remote/target.js'
import { CommandError, exitCodes, refusalOf } from './exit-code.js'
import { visible } from './terminal.js'

/** A site of a server, as somebody who has its service key sees it. */
export class Service {
  readonly target: Target
  readonly timeoutMs: number
  readonly #base: string
  readonly #key: string

  constructor(options: { target: Target; base: string; key: string; timeoutMs: number }) {
    this.target = options.target
    this.timeoutMs = options.timeoutMs
    this.#base = options.base
    this.#key = options.key
  }

  /** `GET`; resolves with the answer's JSON. @throws Unreachable, CommandError */
  get(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<unknown> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value)
    const text = parameters.toString()
    return this.#call('GET', text === '' ? path : `${path}?${text}`)
  }

  /** `POST`; resolves with the answer's JSON. @throws Unreachable, CommandError */
  post(path: string, body: unknown): Promise<unknown> {
    return this.#call('POST', path, JSON.stringify(body))
  }

  /** Opens what has no end. @throws Unreachable; CommandError when it is refused, or is no stream. */
  async open(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#ask(
      'GET',
      path,
      { accept: 'text/event-stream', ...headers },
      undefined,
      signal,
    )
    const isStream = answer.header('content-type')?.startsWith('text/event-stream') ?? false
    if (answer.status === 200 && isStream) return answer
    throw this.#problem(answer, await this.#text(answer))
  }

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const answer = await this.#ask(method, path, {}, body)
    const text = await this.#text(answer)
    const json = parseJson(text)
    if (answer.status !== 200 || json === undefined) throw this.#problem(answer, text)
    return json.value
  }

  #text(answer: Answer): Promise<string> {
    return readText(answer, this.timeoutMs).catch((error: unknown) => this.#name(error))
  }

  #ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    signal?: AbortSignal,
  ): Promise<Answer> {
    return ask(this.target, {
      method,
      path: this.#base + path,
      headers: { authorization: `Bearer ${this.#key}`, ...headers },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
      timeoutMs: this.timeoutMs,
    }).catch((error: unknown) => this.#name(error))
  }

  /** Says which server it is that cannot be reached. */
  #name(error: unknown): never {
    throw error instanceof Unreachable ? new Unreachable(`${this.target.text}: ${error.message}`) : error
  }

  #problem(answer: Answer, text: string): CommandError {
    const refusal = refusalOf(answer.status, parseJson(text)?.value)
    if (refusal !== undefined) return new CommandError(refusal.exitCode, visible(refusal.message))
    const type = answer.header('content-type') ?? 'no Content-Type'
    const server = answer.header('server')
    const who = server === undefined ? '' : ` by ${server}`
    return new CommandError(
      exitCodes.failed,
      visible(
        `the answer is not Downpipe's: ${answer.status}, ${type}${who}; try: downpipe doctor ${this.target.text}`,
      ),
    )
  }
}

/** A member that must be text. @throws CommandError */
export function textOf(value: unknown, name: string): string {
  const text = member(value, name)
  if (typeof text !== 'string') throw new CommandError(exitCodes.failed, `the answer has no ${name}`)
  return text
}
