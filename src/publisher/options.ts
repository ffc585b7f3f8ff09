import type { Message } from './message.js'
import type { PublishError } from './publish-error.js'
import type { QueueLimit } from './queue.js'

/** What a publisher needs to know. All times are in milliseconds. */
export interface PublisherOptions {
  /** Where Downpipe is: `http://127.0.0.1:8080`, `https://push.example/prefix`, `unix:/run/downpipe.sock`. Without `/v1`. */
  readonly url: string
  /** The service key. It is in no error and no log. */
  readonly key: string
  /** The site, on a server with several. By default the one at the top. */
  readonly site?: string
  /** For a whole call or flush, its retries included. Somebody is waiting for the save meanwhile. By default 2,000. */
  readonly timeoutMs?: number
  /** How often a call is repeated while there is time. By default 2; 0: never. */
  readonly retries?: number
  /** What may wait. Over either the oldest are dropped. By default 10,000 messages and 16 MB of JSON. */
  readonly queueLimit?: Partial<QueueLimit>
  /**
   * How long a message may wait; older ones are dropped. By default 240,000. Keep it below the server's `--idempotency-window`
   * (5 min): a message whose answer was lost would be published twice by a later repetition.
   */
  readonly maxAgeMs?: number
  /** After this long the queue is flushed without being asked. By default 1,000; 0: only by `flush`. */
  readonly flushAfterMs?: number
  /** After a call that failed, nothing is tried for this long. By default 5,000; 0: always try. */
  readonly breakMs?: number
  /** Told of each message that was given up. What it throws becomes a warning of the process. By default nobody is. */
  readonly onDrop?: (drop: Drop) => void
}

/**
 * Why a message was given up. `full`: over `queueLimit`. `age`: over `maxAgeMs`. `refused`: the server said no. `not-json`: it
 * cannot be written as JSON. `closed`: the publisher was closed before it could be sent.
 */
export type DropReason = 'full' | 'age' | 'refused' | 'not-json' | 'closed'

/** A message that was given up. */
export interface Drop {
  readonly message: Message
  readonly reason: DropReason
  /** What the server said, or what the message's JSON failed of. */
  readonly error?: PublishError
}

/** What a flush did. */
export interface FlushSummary {
  /** Messages that are stored now. */
  readonly sent: number
  /** Messages given up meanwhile; `onDrop` was told of each. */
  readonly dropped: number
  /** Messages that wait for the next flush. */
  readonly left: number
  /** The last thing that went wrong, if anything did. */
  readonly error?: PublishError
}

/** The options with their defaults. @throws TypeError when a number is not one. */
export function withDefaults(options: PublisherOptions) {
  const { queueLimit, onDrop } = options
  return {
    timeoutMs: atLeast(1, 'timeoutMs', options.timeoutMs ?? 2_000),
    retries: atLeast(0, 'retries', options.retries ?? 2),
    queueLimit: {
      messages: atLeast(1, 'queueLimit.messages', queueLimit?.messages ?? 10_000),
      bytes: atLeast(1, 'queueLimit.bytes', queueLimit?.bytes ?? 16_000_000),
    },
    maxAgeMs: atLeast(1, 'maxAgeMs', options.maxAgeMs ?? 240_000),
    flushAfterMs: atLeast(0, 'flushAfterMs', options.flushAfterMs ?? 1_000),
    breakMs: atLeast(0, 'breakMs', options.breakMs ?? 5_000),
    onDrop,
  }
}

function atLeast(least: number, name: string, value: number): number {
  if (typeof value === 'number' && value >= least) return value
  throw new TypeError(`${name}: must be a number of at least ${least}`)
}
