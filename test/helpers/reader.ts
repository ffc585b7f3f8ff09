/** Milliseconds after which something that was waited for is given up. Generous: only failures take that long. */
export const deadlineMs = 20_000

/**
 * What a subscriber was told: an event of the stream, or the same thing out of a poll's answer; `refused` when the request was
 * answered with an error, `end` when the connection is over without a word.
 */
export interface ReaderEvent {
  readonly event: string
  /** The cursor after it, where it carries one. */
  readonly id: string | undefined
  readonly data: unknown
}

/** What a `refused` event holds. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** What a subscriber asks for. */
export interface Ask {
  readonly token?: string
  readonly channels?: readonly string[]
  readonly grants?: readonly string[]
  readonly since?: string
  readonly lastEventId?: string
  /** Other query parameters. */
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A subscriber on any transport. */
export interface Reader {
  /** The cursor after the last event that `next` gave. */
  readonly cursor: string | undefined
  /** The next event; heartbeats are passed over unless asked for. Rejects when it is another than `event`, or late. */
  next(event?: string): Promise<ReaderEvent>
  /** The `data` of the next `count` messages; rejects when something else comes between. */
  messages(count: number): Promise<unknown[]>
  /** Leaves. */
  close(): void
}

/** Events that came and were not asked for yet, and the one who waits for the next. */
export class EventQueue {
  readonly #events: ReaderEvent[] = []
  #wake = () => {}
  #cursor: string | undefined
  #failure: Error | undefined

  get cursor(): string | undefined {
    return this.#cursor
  }

  push(event: ReaderEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  /** What the server sent is not what it may send. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }

  async next(expected?: string): Promise<ReaderEvent> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const event = this.#events.shift()
      if (event === undefined) await this.#arrival(expected)
      else if (event.event !== 'heartbeat' || expected === 'heartbeat') return this.#take(event, expected)
    }
  }

  async messages(count: number): Promise<unknown[]> {
    const all: unknown[] = []
    while (all.length < count) all.push(messageData(await this.next('message')))
    return all
  }

  #take(event: ReaderEvent, expected: string | undefined): ReaderEvent {
    this.#cursor = event.id ?? this.#cursor
    if (expected !== undefined && event.event !== expected) {
      throw new Error(`${expected} was expected, but this came: ${JSON.stringify(event).slice(0, 500)}`)
    }
    return event
  }

  #arrival(expected: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ${expected ?? 'event'} came in time`)), deadlineMs)
      this.#wake = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }
}

/** What the publisher gave as `data`. */
export function messageData({ data }: ReaderEvent): unknown {
  return typeof data === 'object' && data !== null && 'data' in data ? data.data : undefined
}

/** The path and query of a subscription on `route` (`stream` or `poll`). */
export function subscriptionPath(
  route: string,
  { token, channels = [], grants = [], since, query = {} }: Ask,
): string {
  const parameters = new URLSearchParams(query)
  if (token !== undefined) parameters.set('token', token)
  for (const channel of channels) parameters.append('channel', channel)
  for (const grant of grants) parameters.append('grant', grant)
  if (since !== undefined) parameters.set('since', since)
  return `/v1/${route}?${parameters}`
}

/** The headers of a subscription. */
export function subscriptionHeaders({ headers = {}, lastEventId }: Ask): Record<string, string> {
  return lastEventId === undefined ? { ...headers } : { ...headers, 'last-event-id': lastEventId }
}
