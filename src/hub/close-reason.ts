import { Frame } from '../frame.js'
import { randomBetween } from '../jitter.js'

/** What the client is to do when its stream or poll is closed. */
interface CloseRule {
  /** For people, in the docs and in the log. */
  readonly text: string
  /** Whether the client may come back by itself. */
  readonly reconnect: boolean
  /** Bounds, in ms, of the random time that the client is asked to wait; `spread`: over connections ÷ reconnect rate. */
  readonly retryMs: readonly [number, number] | 'spread'
}

/** Why a stream or poll is closed: one table. Everything that many clients do together has jitter. */
export const closeReasons = {
  slow: { text: 'nothing was read for too long', reconnect: true, retryMs: [1_000, 3_000] },
  kick: { text: 'the user was kicked', reconnect: false, retryMs: [0, 0] },
  logout: { text: 'the token was logged out', reconnect: false, retryMs: [0, 0] },
  expired: { text: 'the token is no longer good: fetch a new one', reconnect: true, retryMs: [0, 1_000] },
  busy: { text: 'overloaded, or something we need is away', reconnect: true, retryMs: [2_000, 6_000] },
  shutdown: { text: 'the server is going away', reconnect: true, retryMs: 'spread' },
  age: { text: 'the stream is old: open a new one', reconnect: true, retryMs: [0, 1_000] },
  forbidden: { text: 'no longer allowed', reconnect: false, retryMs: [0, 0] },
} as const satisfies Record<string, CloseRule>

/** The name of a reason. */
export type CloseReason = keyof typeof closeReasons

/** What a `close` event carries. */
export interface Close {
  readonly reason: CloseReason
  readonly reconnect: boolean
  /** Milliseconds to wait before coming back; already jittered. */
  readonly retryMs: number
}

/** The frame that says so; a plain EventSource, which does not read it, is given the time by `retry`. */
export function closeFrame(close: Close): Frame {
  return new Frame('close', undefined, JSON.stringify(close), close.reconnect ? close.retryMs : undefined)
}

/** Words the close for one client. `spreadMs` is how long a return of everybody is to take. */
export function closeFor(reason: CloseReason, spreadMs: number): Close {
  const { reconnect, retryMs } = closeReasons[reason]
  return { reason, reconnect, retryMs: randomBetween(retryMs === 'spread' ? [0, spreadMs] : retryMs) }
}
