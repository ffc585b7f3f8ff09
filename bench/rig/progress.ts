const REPEAT_MS = 5000

/**
 * Says on standard error what is going on: one line that is written over on a terminal, and elsewhere a line every 5 s, so
 * that a log of a long run stays readable.
 */
export class Progress {
  readonly #isTerminal = process.stderr.isTTY
  #label = ''
  #writtenAt = Number.NEGATIVE_INFINITY

  /** A new part of the run begins. */
  begin(label: string): void {
    this.#label = label
    if (this.#isTerminal) this.#write(label)
    else process.stderr.write(`${label}\n`)
    this.#writtenAt = performance.now()
  }

  /** How far it is. */
  update(text: string): void {
    const line = `${this.#label}: ${text}`
    if (this.#isTerminal) this.#write(line)
    else if (performance.now() - this.#writtenAt > REPEAT_MS) {
      process.stderr.write(`${line}\n`)
      this.#writtenAt = performance.now()
    }
  }

  /** Says something that must not be overlooked or written over. */
  warn(text: string): void {
    this.end()
    process.stderr.write(`warning: ${text}\n`)
  }

  /** Takes the line away, so that something else can be written. */
  end(): void {
    if (this.#isTerminal) this.#write('')
  }

  #write(line: string): void {
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`)
  }
}
