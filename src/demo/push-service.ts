/** How long the CMS waits for the push service. Somebody is waiting for the CMS meanwhile. */
const TIMEOUT_MS = 1_000

/**
 * How far back a page starts when the push service cannot be asked for its cursor: more than a page takes to be made,
 * and than the two clocks may differ.
 */
const CLOCK_MARGIN_MS = 5_000

/** A message for the push service: the fields that this CMS uses, see the HTTP reference for all of them. */
export interface Message {
  /** Everybody on this channel gets it. Either this or `uid`. */
  readonly channel?: string
  /** This user gets it, in every browser. */
  readonly uid?: string
  /** The function in the page that takes it, in place of those that listen on a channel. */
  readonly callback?: string
  readonly data: unknown
  /** The page that knows already, because it made the change. */
  readonly except?: string | undefined
}

/** Where the failures go. The message is a constant sentence. */
export interface PushLog {
  error(fields: object, message: string): void
}

/** What a {@link PushService} needs to know. */
export interface PushServiceOptions {
  /** The service key, which no browser ever sees. */
  readonly key: string
  readonly log: PushLog
}

/**
 * All that the CMS says to the push service. No call ever fails or takes longer than a second: a push service that is
 * away must not keep anybody from saving an article. The log says what went wrong.
 */
export class PushService {
  /** Where the push service is, without a slash at the end; empty until it has been started. */
  url = ''

  readonly #key: string
  readonly #log: PushLog

  constructor(options: PushServiceOptions) {
    this.#key = options.key
    this.#log = options.log
  }

  /** Sends messages, all or none. */
  async publish(messages: readonly Message[]): Promise<void> {
    await this.#call('POST', '/v1/publish', messages)
  }

  /**
   * The place from which a page shall follow. Ask *before* reading what the page shows: then nothing that changes
   * in between can be missed; at worst it comes once more.
   */
  async cursor(): Promise<string> {
    const answer = await this.#call('GET', '/v1/cursor')
    if (typeof answer === 'object' && answer !== null && 'cursor' in answer) return String(answer.cursor)
    return String(Date.now() - CLOCK_MARGIN_MS)
  }

  /** Closes a user's connections. True when the push service has done so. */
  async kick(uid: string): Promise<boolean> {
    return (await this.#call('POST', '/v1/kick', { uid })) !== undefined
  }

  /** Closes a session's connections and forgets its token. Call it *before* the session ends. */
  async logout(token: string): Promise<void> {
    await this.#call('POST', '/v1/logout', { token })
  }

  /** The answer's JSON, or undefined when there was none. */
  async #call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      const answer: unknown = await response.json()
      if (response.ok) return answer
      this.#log.error({ path, status: response.status, answer }, 'The push service refused a call')
    } catch (error) {
      this.#log.error({ path, err: error }, 'The push service did not answer')
    }
    return undefined
  }
}
