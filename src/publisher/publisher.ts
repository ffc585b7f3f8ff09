import { randomUUID } from 'node:crypto'
import { emitWarning } from 'node:process'
import { Delivery } from './delivery.js'
import type { Message } from './message.js'
import {
  type Drop,
  type DropReason,
  type FlushSummary,
  type PublisherOptions,
  withDefaults,
} from './options.js'
import { PublishError } from './publish-error.js'
import { Queue, type Waiting } from './queue.js'

/** What one call may carry: the server's own defaults, a little less in bytes for whatever counts differently. */
const maxBatch = { messages: 1_000, bytes: 8_000_000 }

/**
 * Publishes to Downpipe from a Node program, without ever breaking or slowing what the program does: `enqueue` neither waits
 * nor throws, every call has a deadline, and a server that is away is not asked again and again.
 *
 * One for the whole process: it keeps connections and remembers whether the server is there.
 */
export class Publisher {
  readonly #options: ReturnType<typeof withDefaults>
  readonly #delivery: Delivery
  readonly #queue: Queue
  readonly #published = new Set<Promise<unknown>>()
  #running: Promise<FlushSummary> | undefined
  #next: Promise<FlushSummary> | undefined
  #timer: NodeJS.Timeout | undefined
  #dropped = 0
  #isClosed = false

  /** @throws TypeError when an option cannot be used; it never repeats the key. */
  constructor(options: PublisherOptions) {
    this.#options = withDefaults(options)
    const { retries, breakMs } = this.#options
    const { url, key, site } = options
    this.#delivery = new Delivery({ url, key, site, retries, breakMs })
    this.#queue = new Queue(this.#options.queueLimit)
  }

  /** Messages that wait to be sent. */
  get queued(): number {
    return this.#queue.length
  }

  /**
   * Publishes now: one message, or an array of which all are stored or none. Resolves to the id, or the ids, once stored. Does
   * not wait for what is queued before it.
   *
   * @throws PublishError after the retries, or at once where repeating makes no sense
   */
  publish(message: Message): Promise<string>
  publish(messages: readonly Message[]): Promise<readonly string[]>
  async publish(given: Message | readonly Message[]): Promise<string | readonly string[]> {
    if (this.#isClosed) throw new PublishError('DOWNPIPE_CLOSED', 'the publisher was closed')
    const endMs = performance.now() + this.#options.timeoutMs
    const messages = isList(given) ? given : [given]
    const json = isList(given) ? `[${messages.map(encode).join()}]` : encode(given)
    const sending = this.#delivery.send(json, messages.length, endMs)
    this.#published.add(sending)
    try {
      const ids = await sending
      return isList(given) ? ids : (ids[0] ?? '')
    } finally {
      this.#published.delete(sending)
    }
  }

  /**
   * Queues a message for the next flush. Never throws and never waits. What does not fit makes the oldest go: who follows a
   * page is better served by the newest. The message is taken as it is now; later changes to it do not count.
   */
  enqueue(message: Message): void {
    if (this.#isClosed) {
      this.#drop(message, 'closed')
      return
    }
    try {
      const json = encode(message)
      const waiting = { message, json, bytes: Buffer.byteLength(json), sinceMs: performance.now() }
      this.#dropAll(this.#queue.push(waiting), 'full')
      this.#arm()
    } catch (thrown) {
      this.#drop(message, 'not-json', PublishError.of(thrown))
    }
  }

  /**
   * Sends what is queued by now, in order, in calls of at most 1,000 messages and 8 MB. Never rejects, and takes `timeoutMs` at the
   * most. What could not be sent because the server is away is left for the next flush; what it refused is dropped, and
   * what stood beside that goes all the same.
   */
  flush(): Promise<FlushSummary> {
    if (this.#next !== undefined) return this.#next
    const endMs = performance.now() + this.#options.timeoutMs
    if (this.#running === undefined) return this.#start(endMs)
    // One at a time, or messages would overtake one another. Who comes meanwhile shares the next one.
    this.#next = this.#running.then(() => {
      this.#next = undefined
      return this.#start(endMs)
    })
    return this.#next
  }

  /**
   * Takes no more messages, flushes (the server is tried even if it was away a moment ago), drops what could not be sent and
   * ends the connections. Never rejects; takes about `timeoutMs` at the most, or twice that when a flush is under way.
   */
  async close(): Promise<FlushSummary> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await Promise.all([this.#running, ...this.#published].map(each => each?.catch(() => {})))
    this.#delivery.tryAgain()
    const summary = await this.flush()
    const left = this.#queue.takeAll()
    this.#dropAll(left, 'closed')
    this.#delivery.close()
    return { ...summary, dropped: summary.dropped + left.length, left: 0 }
  }

  #start(endMs: number): Promise<FlushSummary> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running = this.#sendQueued(endMs).finally(() => {
      this.#running = undefined
      if (this.#queue.length > 0) this.#arm()
    })
    return this.#running
  }

  async #sendQueued(endMs: number): Promise<FlushSummary> {
    // What comes meanwhile is the next flush's: otherwise a busy process would never see the end of this one.
    const untilMs = performance.now()
    const droppedBefore = this.#dropped
    let most = maxBatch
    let sent = 0
    let error: PublishError | undefined
    for (;;) {
      this.#dropAll(this.#queue.takeBefore(performance.now() - this.#options.maxAgeMs), 'age')
      const batch = this.#queue.take(most, untilMs)
      if (batch.length === 0) break
      const failure = await this.#sendBatch(batch, endMs)
      error = failure ?? error
      if (failure === undefined) sent += batch.length
      else if (failure.isTransient) {
        this.#dropAll(this.#queue.putBack(batch), 'full')
        break
      } else if (failure.status === 413 && failure.index === undefined && batch.length > 1) {
        // The server, or a proxy before it, takes less at once than we thought.
        most = { ...most, messages: Math.floor(batch.length / 2) }
        this.#dropAll(this.#queue.putBack(batch), 'full')
      } else this.#dropRefused(batch, failure)
    }
    const summary = { sent, dropped: this.#dropped - droppedBefore, left: this.#queue.length }
    return error === undefined ? summary : { ...summary, error }
  }

  async #sendBatch(batch: readonly Waiting[], endMs: number): Promise<PublishError | undefined> {
    try {
      if (performance.now() >= endMs)
        throw new PublishError('DOWNPIPE_TIMEOUT', 'no time is left', { isTransient: true })
      await this.#delivery.send(`[${batch.map(({ json }) => json).join()}]`, batch.length, endMs)
      return undefined
    } catch (thrown) {
      return PublishError.of(thrown)
    }
  }

  /** Drops the one that the server named, so that the others can go; all, when it named none. */
  #dropRefused(batch: readonly Waiting[], error: PublishError): void {
    const bad = error.index === undefined ? undefined : batch[error.index]
    const others = batch.filter(waiting => bad !== undefined && waiting !== bad)
    this.#dropAll(this.#queue.putBack(others), 'full')
    this.#dropAll(bad === undefined ? batch : [bad], 'refused', error)
  }

  #dropAll(dropped: readonly Waiting[], reason: DropReason, error?: PublishError): void {
    for (const { message } of dropped) this.#drop(message, reason, error)
  }

  #drop(message: Message, reason: DropReason, error?: PublishError): void {
    this.#dropped += 1
    const drop: Drop = error === undefined ? { message, reason } : { message, reason, error }
    try {
      this.#options.onDrop?.(drop)
    } catch (thrown) {
      emitWarning(
        `onDrop threw: ${thrown instanceof Error ? thrown.message : 'something'}`,
        'DownpipeWarning',
      )
    }
  }

  /** Sees to it that the queue is flushed even if nobody asks, but not while the server is known to be away. */
  #arm(): void {
    const { flushAfterMs } = this.#options
    if (flushAfterMs === 0 || this.#isClosed || this.#timer !== undefined || this.#running !== undefined)
      return
    this.#timer = setTimeout(() => void this.flush(), Math.max(flushAfterMs, this.#delivery.waitMs))
    // A message that waits keeps no process alive; `close` does.
    this.#timer.unref()
  }
}

function isList(given: Message | readonly Message[]): given is readonly Message[] {
  return Array.isArray(given)
}

/** @throws PublishError when it cannot be written as JSON. */
function encode(message: Message): string {
  try {
    return JSON.stringify({ ...message, idempotencyKey: message.idempotencyKey ?? randomUUID() })
  } catch (thrown) {
    throw new PublishError('DOWNPIPE_NOT_JSON', 'the message cannot be written as JSON', { cause: thrown })
  }
}
