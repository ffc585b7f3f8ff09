import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../auth/identity.js'
import type { Clock } from '../clock.js'
import { type Cursor, formatCursor, type Since } from '../cursor.js'
import { InvalidRequest, TooManyRequests } from '../errors.js'
import type { Frame } from '../frame.js'
import type { Batch } from '../hub/batch.js'
import type { Hub } from '../hub/hub.js'
import { SlicedQueue } from '../hub/sliced-queue.js'
import type { Sink } from '../hub/subscriber.js'
import type { AddressCount } from './address-count.js'
import { type Asking, admit, type HandshakeOptions, type Subscription, shakeHands } from './handshake.js'

/** Bytes of messages in one answer (but at least one message); the next poll gets the rest. */
const pageBytes = 256 * 1024

/** How long, in ms, what comes is collected before it is answered: a burst must not cost a request for each message. */
const collectMs = 25

/** The headers of every answer to a poll. */
export const pollHeaders = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
} as const

/** What a poll is answered with. */
export interface PollReply {
  readonly raw: ServerResponse
  /** Answers with a body in JSON, and status 200. */
  send(body: string): void
}

/** Answers polls together, `collectMs` after the first of them got something, sliced over turns. */
export class PollCollector {
  readonly #clock: Clock
  readonly #answers: SlicedQueue<() => void>
  #collecting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
    this.#answers = new SlicedQueue(clock, answer => answer())
  }

  add(answer: () => void): void {
    this.#collecting.push(answer)
    if (this.#collecting.length > 1) return
    this.#clock.after(collectMs, () => {
      const due = this.#collecting
      this.#collecting = []
      for (const each of due) this.#answers.push(each)
    })
  }
}

/** One poll: gathers frames until it is answered. */
class PollSink implements Sink {
  readonly transport = 'poll'
  readonly pageBytes = pageBytes
  readonly #reply: PollReply
  readonly #given: Since | undefined
  readonly #onFrames: () => void
  #frames: Frame[] = []
  #bytes = 0
  #holdsPresence = false
  #isEnded = false

  constructor(reply: PollReply, given: Since | undefined, onFrames: () => void) {
    this.#reply = reply
    this.#given = given
    this.#onFrames = onFrames
  }

  /** Whether there is anything to answer with. */
  get hasFrames(): boolean {
    return this.#frames.length > 0
  }

  /** Whether somebody's presence is among it. */
  get holdsPresence(): boolean {
    return this.#holdsPresence
  }

  get isBlocked(): boolean {
    return this.#bytes >= pageBytes
  }

  get backlogBytes(): number {
    return this.#bytes
  }

  write(batch: Batch): void {
    if (this.#frames.length === 0) this.#onFrames()
    for (const frame of batch.frames()) {
      this.#frames.push(frame)
      this.#holdsPresence ||= frame.isPresence
    }
    this.#bytes += batch.bytes
  }

  end(reached: Cursor | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#reply.send(this.#answer(reached))
  }

  destroy(): void {
    this.#reply.raw.destroy()
  }

  #answer(reached: Cursor | undefined): string {
    const parts = new Map<string, string>()
    const messages: string[] = []
    let cursor =
      this.#given !== undefined && typeof this.#given === 'object' ? givenCursor(this.#given) : undefined
    let bytes = 0
    let isCut = false
    for (const frame of this.#frames) {
      if (frame.event !== 'message') {
        if (frame.event !== 'heartbeat') parts.set(frame.event, frame.json)
        if (frame.event === 'gap' && frame.cursor !== undefined) cursor = frame.cursor
        continue
      }
      if (isCut) continue
      bytes += frame.bytes.length
      isCut = bytes > pageBytes && messages.length > 0
      if (isCut) continue
      messages.push(messageJson(frame))
      cursor = later(cursor, frame.cursor)
    }
    if (!isCut) cursor = later(cursor, reached)
    const rest = [...parts].map(([name, json]) => `,${JSON.stringify(name)}:${json}`).join('')
    const at = cursor === undefined ? 'null' : JSON.stringify(formatCursor(cursor))
    return `{"cursor":${at},"messages":[${messages.join(',')}]${rest}}`
  }
}

function givenCursor(given: Exclude<Since, 'malformed'>): Cursor | undefined {
  return 'cursor' in given ? given.cursor : undefined
}

function later(one: Cursor | undefined, other: Cursor | undefined): Cursor | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return other.n > one.n ? other : one
}

/** The message's JSON with its id in front. It is an object with at least the member `data`. */
function messageJson(frame: Frame): string {
  const id = frame.cursor === undefined ? '' : `"id":"${formatCursor(frame.cursor)}",`
  return `{${id}${frame.json.slice(1)}`
}

/** What polls need beside the handshake. */
export interface PollOptions extends HandshakeOptions {
  readonly clock: Clock
  readonly hub: Hub
  readonly addresses: AddressCount
  readonly collector: PollCollector
  /** The longest wait that a poll may ask for, and the one it gets without asking, in ms. */
  readonly pollWaitMs: number
}

/**
 * From a request to a poll that waits for its answer. Whoever has left by then is not answered.
 *
 * @throws the refusals of the error table.
 */
export async function openPoll(
  request: Asking,
  caller: Caller,
  reply: PollReply,
  options: PollOptions,
): Promise<void> {
  const { addresses } = options
  const { ip } = request
  const { raw } = reply
  if (!addresses.take(ip)) throw new TooManyRequests('too many connections from this address')
  try {
    const subscription = await shakeHands(request, caller, options)
    const waitMs = askedWaitMs(subscription.query.get('wait'), options.pollWaitMs)
    admit(subscription, options)
    if (!connectionOf(raw).destroyed) poll(reply, subscription, waitMs, options)
  } finally {
    const connection = connectionOf(raw)
    if (connection.destroyed) addresses.release(ip)
    else if (addresses.isLimited) connection.once('close', () => addresses.release(ip))
  }
}

/** What tells that the client has left: behind another one on its connection, an answer has no connection yet, and never hears of its end. */
function connectionOf(raw: ServerResponse): IncomingMessage | ServerResponse {
  return raw.socket === null ? raw.req : raw
}

function poll(
  reply: PollReply,
  { session, since, isInitial, query }: Subscription,
  waitMs: number,
  { hub, collector }: PollOptions,
): void {
  const ready = session.ready()
  let isJoined = false
  const answer = () => {
    // With the state that follows from them comes its version; else the next poll would be answered at once with both.
    if (sink.holdsPresence) session.renew(subscriber)
    hub.close(subscriber, undefined)
  }
  const sink = new PollSink(reply, since, () => {
    if (isJoined) collector.add(answer)
  })
  const subscriber = session.subscriber(sink, undefined)
  connectionOf(reply.raw).once('close', () => hub.leave(subscriber))
  hub.join(subscriber, {
    since,
    ready: query.get('v') === ready.version ? undefined : ready.json,
    isInitial,
    lifeMs: waitMs,
    recheckMs: session.endsInMs,
    heardMs: session.principal.askedMs,
  })
  isJoined = true
  if (sink.hasFrames || since === undefined || waitMs === 0) answer()
}

/** Reads `wait`, in seconds: a number from 0; more than the limit is the limit. */
function askedWaitMs(text: string | null, limitMs: number): number {
  if (text === null || text === '') return limitMs
  const seconds = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || !Number.isFinite(seconds)) {
    throw new InvalidRequest('wait: a number of seconds, 0 or more')
  }
  return Math.min(seconds * 1_000, limitMs)
}
