/** The longest time, in ms, for which a `Retry-After` is believed: a wrong one must not silence a publisher for hours. */
const maxHoldMs = 30_000

/** When a {@link Breaker} lets calls through. */
export interface BreakerOptions {
  /** Milliseconds after a failed call in which none is tried. 0: never open. */
  readonly holdMs: number
  /** Milliseconds that only ever grow. */
  readonly now: () => number
}

/**
 * Keeps callers from waiting for a server that is away. After a call that failed, none goes through for a while; then a single
 * one tries it out, and the others go on when that has been answered.
 */
export class Breaker {
  readonly #options: BreakerOptions
  #untilMs: number | undefined
  #isTrying = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Milliseconds until a call may be tried; 0: now. */
  get waitMs(): number {
    return this.#untilMs === undefined ? 0 : Math.max(0, this.#untilMs - this.#options.now())
  }

  /** Whether a call may go. If so, it MUST be followed by `succeeded` or `failed`. */
  begin(): boolean {
    if (this.#untilMs === undefined) return true
    if (this.waitMs > 0 || this.#isTrying) return false
    this.#isTrying = true
    return true
  }

  /** The server is there, whatever it answered. */
  succeeded(): void {
    this.#untilMs = undefined
    this.#isTrying = false
  }

  /** The server is away. `retryAfterMs`: what it said about that. */
  failed(retryAfterMs = 0): void {
    this.#isTrying = false
    const holdMs = Math.max(this.#options.holdMs, Math.min(retryAfterMs, maxHoldMs))
    if (this.#options.holdMs > 0) this.#untilMs = this.#options.now() + holdMs
  }
}
