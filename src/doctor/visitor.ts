import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { type Answer, ask, member, parseJson, readText, Unreachable } from '../remote/ask.js'
import type { Target } from '../remote/target.js'
import { type ProxyName, recogniseProxies } from './remedies.js'
import { StreamWatch } from './stream-watch.js'

/** How a browser says what compression it takes. */
const acceptEncoding = 'gzip, deflate, br'

/** What is examined, and as whom. */
export interface Patient {
  /** Where pages find the service. */
  readonly target: Target
  /** Where the CMS finds it. */
  readonly controlTarget: Target
  /** `/v1`, or that of a site. */
  readonly base: string
  /** The service key: with it messages are published, to be seen arriving. */
  readonly key: string | undefined
  /** A visitor's token. */
  readonly token: string | undefined
  /** The channel to listen on; undefined: one that nobody uses, which takes a key. */
  readonly channel: string | undefined
  /** The origin of the pages. */
  readonly origin: string | undefined
  /** How long anything may take that should come at once, in ms. */
  readonly timeoutMs: number
  /** How long to read a quiet stream, in ms; undefined: until its first sign of life. */
  readonly waitMs: number | undefined
}

/** An answer with all of its body. */
export interface Reply {
  readonly answer: Answer
  readonly text: string
  /** The body, if it is JSON. */
  readonly json: unknown
}

/** Asks and reads as browsers do, and remembers through what the answers came. */
export class Visitor {
  readonly patient: Patient
  readonly channel: string | undefined
  /** The proxies that were recognised. */
  readonly proxies = new Set<ProxyName>()
  readonly #agent: Agent

  constructor(patient: Patient) {
    this.patient = patient
    this.channel =
      patient.channel ??
      (patient.key === undefined ? undefined : `downpipe-doctor-${randomBytes(8).toString('hex')}`)
    const options = { keepAlive: true }
    this.#agent = patient.target.protocol === 'https:' ? new TlsAgent(options) : new Agent(options)
  }

  /** `GET /poll` as the one who reads. @throws Unreachable */
  poll(
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    return this.request('GET', this.#path('poll', query), { ...this.#headers(), ...headers })
  }

  /** `GET /poll` without any credential, so that the first use of a token can be timed later. @throws Unreachable */
  stranger(): Promise<Reply> {
    return this.request('GET', `${this.patient.base}/poll?wait=0`, {})
  }

  /** Whether the server, whatever its sites, is where the address leads; a site may be the end of that. */
  async isServerThere(): Promise<boolean> {
    const { target, timeoutMs } = this.patient
    const root = { ...target, prefix: target.prefix.replace(/\/sites\/[^/]*$/, '') }
    try {
      const answer = await ask(root, { path: '/healthz', timeoutMs })
      const text = await readText(answer, timeoutMs)
      return answer.status === 200 && member(parseJson(text)?.value, 'status') === 'ok'
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      return false
    }
  }

  /** `GET /poll` that may wait. @throws Unreachable */
  waitingPoll(query: Readonly<Record<string, string>>, timeoutMs: number): Promise<Reply> {
    return this.request('GET', this.#path('poll', query), this.#headers(), timeoutMs)
  }

  /** `GET /poll` with the visitor's token alone. @throws Unreachable */
  pollAs(token: string): Promise<Reply> {
    const query = new URLSearchParams({ wait: '0', token })
    return this.request('GET', `${this.patient.base}/poll?${query}`, {})
  }

  /** Any request to where pages find the service; `path` from the root on. @throws Unreachable */
  async request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    timeoutMs = this.patient.timeoutMs,
  ): Promise<Reply> {
    const { target } = this.patient
    const answer = await ask(target, { method, path, headers, timeoutMs, agent: this.#agent })
    this.remember(answer)
    const text = await readText(answer, timeoutMs)
    return { answer, text, json: parseJson(text)?.value }
  }

  /** `GET /stream` as the one who reads. */
  watch(headers: Readonly<Record<string, string>> = {}, timeoutMs = 600_000): StreamWatch {
    return new StreamWatch(this.patient.target, {
      path: this.#path('stream', {}),
      headers: {
        accept: 'text/event-stream',
        'accept-encoding': acceptEncoding,
        ...this.#headers(),
        ...headers,
      },
      timeoutMs,
    })
  }

  /** A call of the CMS's side, with the key. @throws Unreachable */
  async control(method: string, path: string, body?: unknown): Promise<Reply> {
    const { controlTarget, base, key = '', timeoutMs } = this.patient
    const answer = await ask(controlTarget, {
      method,
      path: `${base}${path}`,
      headers: { authorization: `Bearer ${key}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs,
    })
    const text = await readText(answer, timeoutMs)
    return { answer, text, json: parseJson(text)?.value }
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#agent.destroy()
  }

  #path(route: string, query: Readonly<Record<string, string>>): string {
    const { base, key, token } = this.patient
    const parameters = new URLSearchParams(query)
    if (this.channel !== undefined) parameters.set('channel', this.channel)
    if (key === undefined && token !== undefined) parameters.set('token', token)
    return `${base}/${route}?${parameters}`
  }

  #headers(): Readonly<Record<string, string>> {
    const { key } = this.patient
    return key === undefined ? {} : { authorization: `Bearer ${key}` }
  }

  /** Looks through what the answer came. */
  remember(answer: Answer): void {
    for (const proxy of recogniseProxies(answer)) this.proxies.add(proxy)
  }
}
