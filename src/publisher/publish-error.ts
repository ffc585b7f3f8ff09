/** What else is known of a failure. */
export interface PublishFailure {
  /** The status of the answer; none when no answer came. */
  readonly status?: number | undefined
  /** Whether the same call may succeed later. */
  readonly isTransient?: boolean
  /** Milliseconds after which to try again, where that is known. */
  readonly retryAfterMs?: number | undefined
  /** Which message of the call the error is about, where it is about one. */
  readonly index?: number | undefined
  readonly cause?: unknown
}

/** Codes of failures that are found on this side. All others are the server's own, see its table of errors. */
export type PublisherCode =
  /** The server could not be reached, or the connection broke. Whether the message was stored is unknown. */
  | 'DOWNPIPE_UNREACHABLE'
  /** No answer came in time. Whether the message was stored is unknown. */
  | 'DOWNPIPE_TIMEOUT'
  /** What answered is not Downpipe: a redirect, an HTML page, JSON of another form. */
  | 'DOWNPIPE_BAD_ANSWER'
  /** Not tried: the server was away a moment ago. */
  | 'DOWNPIPE_CIRCUIT_OPEN'
  /** The message cannot be written as JSON. */
  | 'DOWNPIPE_NOT_JSON'
  /** The publisher was closed. */
  | 'DOWNPIPE_CLOSED'

/** Why something could not be published. Neither its text nor its fields hold the key. */
export class PublishError extends Error {
  override readonly name = 'PublishError'
  /** One of {@link PublisherCode}, or the code of the server's answer (`DOWNPIPE_…`). */
  readonly code: string
  /** The status of the answer; undefined when no answer came. */
  readonly status: number | undefined
  /** Whether the same call may succeed later: the server was away, busy, or too slow. */
  readonly isTransient: boolean
  /** Milliseconds after which to try again, where that is known. */
  readonly retryAfterMs: number | undefined
  /** Which message of the array the server refused, where it is about one. */
  readonly index: number | undefined

  constructor(code: string, message: string, failure: PublishFailure = {}) {
    super(message, failure.cause === undefined ? {} : { cause: failure.cause })
    this.code = code
    this.status = failure.status
    this.isTransient = failure.isTransient ?? false
    this.retryAfterMs = failure.retryAfterMs
    this.index = failure.index
  }

  /** The error itself if it is one; else one that says that the server was not reached. */
  static of(thrown: unknown): PublishError {
    if (thrown instanceof PublishError) return thrown
    return new PublishError('DOWNPIPE_UNREACHABLE', `Downpipe could not be reached: ${word(thrown)}`, {
      isTransient: true,
      cause: thrown,
    })
  }
}

/** What the system calls it (`ECONNREFUSED`), or its sentence. */
function word(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.message
}
