/**
 * Keeps the process awake while a phase runs: it looks for what has come again and again, instead of sleeping until it comes.
 *
 * A reader that slept would make the server pay for its waking, an interrupt of another core for each write. Processor time
 * says nothing about the load then, so this counts what was spent in vain, and what was not. The time between a turn in vain
 * and one that is not counts as work: in it the kernel received what the second one found.
 */
export class Polling {
  #isOn = false
  #hasFound = false
  #startedAt = 0
  #vainMicros = 0
  #vainSince: number | undefined

  /** A phase begins. With `polls` false the process sleeps as usual, and all its processor time is work. */
  start(polls: boolean): void {
    this.#isOn = polls
    this.#hasFound = true
    this.#startedAt = processorMicros()
    this.#vainMicros = 0
    this.#vainSince = undefined
    if (polls) setImmediate(this.#turn)
  }

  /** Something has come, in this turn of the event loop. */
  found(): void {
    this.#hasFound = true
  }

  /** The phase is over. Returns the processor time of the process since {@link start} that was not spent in vain, in µs. */
  stop(): number {
    this.#isOn = false
    return Math.round(processorMicros() - this.#startedAt - this.#vainMicros)
  }

  readonly #turn = (): void => {
    if (!this.#isOn) return
    if (this.#hasFound) this.#vainSince = undefined
    else {
      const now = processorMicros()
      this.#vainMicros += now - (this.#vainSince ?? now)
      this.#vainSince = now
    }
    this.#hasFound = false
    setImmediate(this.#turn)
  }
}

function processorMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
