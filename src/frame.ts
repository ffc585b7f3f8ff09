import { type Cursor, formatCursor } from './cursor.js'

/** The events of a stream. Never `open` or `error`: they would fire EventSource's own handlers. */
export type FrameEvent = 'message' | 'ready' | 'heartbeat' | 'gap' | 'close'

/**
 * One SSE event, encoded once and shared by everybody who gets it.
 *
 * The JSON is one line by construction (`JSON.stringify` escapes every control character, and SSE ends lines at CR and LF
 * only), so nothing a publisher sends can add a field or an event.
 *
 * Source: WHATWG HTML, "Server-sent events", parsing and interpreting an event stream.
 */
export class Frame {
  readonly event: FrameEvent
  /** The place in the log that a reader of this frame has reached; undefined for what is outside the log. */
  readonly cursor: Cursor | undefined
  /** The bytes on the wire. */
  readonly bytes: Buffer
  readonly #jsonStart: number

  /** `retryMs`: after which a plain EventSource shall come back; its own last value holds without it. */
  constructor(event: FrameEvent, cursor: Cursor | undefined, json: string, retryMs?: number) {
    const retry = retryMs === undefined ? '' : `retry: ${retryMs}\n`
    const name = event === 'message' ? '' : `event: ${event}\n`
    const id = cursor === undefined ? '' : `id: ${formatCursor(cursor)}\n`
    this.event = event
    this.cursor = cursor
    this.#jsonStart = retry.length + name.length + id.length + 'data: '.length
    this.bytes = Buffer.from(`${retry}${name}${id}data: ${json}\n\n`)
  }

  /** Whether it tells of somebody's presence: a message that is not in the log. */
  get isPresence(): boolean {
    return this.event === 'message' && this.cursor === undefined
  }

  /** The JSON text that the frame carries. */
  get json(): string {
    return this.bytes.toString('utf8', this.#jsonStart, this.bytes.length - 2)
  }
}
