const LOOK_FOR_STALL_MS = 250

/** Says that nothing more will come. */
export class StalledError extends Error {
  constructor(ms: number) {
    super(`nothing has moved for ${ms / 1000} s`)
  }
}

/** Waits as long as something moves. */
export class Patience {
  readonly #ms: number
  #movedAt = 0

  /** @param ms when nothing has moved for so long, nothing more will */
  constructor(ms: number) {
    this.#ms = ms
  }

  /** Something has moved. */
  moved(): void {
    this.#movedAt = performance.now()
  }

  /**
   * What `work` comes to.
   *
   * @param failure fails when the work has become pointless
   * @throws StalledError if nothing moves for too long before; what `failure` fails with
   */
  async until<Result>(work: Promise<Result>, failure: Promise<never>): Promise<Result> {
    this.moved()
    let watch: NodeJS.Timeout | undefined
    const stalled = new Promise<never>((_, reject) => {
      watch = setInterval(() => {
        if (performance.now() - this.#movedAt > this.#ms) reject(new StalledError(this.#ms))
      }, LOOK_FOR_STALL_MS)
    })
    try {
      return await Promise.race([work, stalled, failure])
    } finally {
      clearInterval(watch)
    }
  }
}
