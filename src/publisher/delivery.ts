import { setTimeout as pause } from 'node:timers/promises'
import { Breaker } from './breaker.js'
import { Caller } from './caller.js'
import { PublishError } from './publish-error.js'

/** Bounds, in ms, of the random time before the first repetition; it doubles with each. */
const backoffMs = [20, 60] as const

/** What a {@link Delivery} needs to know. */
export interface DeliveryOptions {
  readonly url: string
  readonly key: string
  readonly site: string | undefined
  readonly retries: number
  readonly breakMs: number
}

/** Makes calls that are repeated while there is time, and not even tried while the server is known to be away. */
export class Delivery {
  readonly #caller: Caller
  readonly #breaker: Breaker
  readonly #retries: number

  /** @throws TypeError when url or key cannot be used. */
  constructor({ url, key, site, retries, breakMs }: DeliveryOptions) {
    this.#caller = new Caller(url, key, site)
    this.#breaker = new Breaker({ holdMs: breakMs, now: () => performance.now() })
    this.#retries = retries
  }

  /** Milliseconds for which calls fail at once. */
  get waitMs(): number {
    return this.#breaker.waitMs
  }

  /**
   * Posts the JSON of messages that all have idempotency keys, and resolves to their `count` ids.
   *
   * @param endMs when to give up, by the monotonic clock
   * @throws PublishError
   */
  async send(json: string, count: number, endMs: number): Promise<readonly string[]> {
    if (!this.#breaker.begin()) {
      const text = 'not tried: Downpipe could not be reached a moment ago'
      const retryAfterMs = this.#breaker.waitMs
      throw new PublishError('DOWNPIPE_CIRCUIT_OPEN', text, { isTransient: true, retryAfterMs })
    }
    for (let attempt = 0; ; attempt += 1) {
      try {
        const ids = await this.#caller.post(json, Math.max(1, endMs - performance.now()))
        this.#breaker.succeeded()
        if (ids.length === count) return ids
        throw new PublishError('DOWNPIPE_BAD_ANSWER', `${ids.length} ids for ${count} messages`)
      } catch (thrown) {
        const error = PublishError.of(thrown)
        const waitMs = error.retryAfterMs ?? backoff(attempt)
        if (!error.isTransient) this.#breaker.succeeded()
        else if (attempt < this.#retries && performance.now() + waitMs < endMs) {
          await pause(waitMs)
          continue
        } else this.#breaker.failed(error.retryAfterMs)
        throw error
      }
    }
  }

  /** Lets the next call be tried in any case. */
  tryAgain(): void {
    this.#breaker.succeeded()
  }

  /** Ends the connections. */
  close(): void {
    this.#caller.close()
  }
}

function backoff(attempt: number): number {
  const [least, most] = backoffMs
  return (least + Math.random() * (most - least)) * 2 ** attempt
}
