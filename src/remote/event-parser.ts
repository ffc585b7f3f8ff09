/** One event of a stream. */
export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly event: string
  /** The id that came with this event. */
  readonly id: string | undefined
  readonly data: string
}

/**
 * Reads Server-Sent Events out of bytes, however they are cut.
 *
 * Source: WHATWG HTML, "Server-sent events", interpreting an event stream.
 */
export class EventParser {
  /** Milliseconds of the last `retry` field. */
  retryMs: number | undefined
  readonly #decoder = new TextDecoder()
  #rest = ''
  #event = ''
  #id: string | undefined
  #data: string[] = []

  /** The events that these bytes complete. */
  push(chunk: Uint8Array): readonly StreamEvent[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    // A CR at the end may be half of a CRLF.
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    const events: StreamEvent[] = []
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else if (this.#data.length > 0) events.push(this.#take())
      else this.#event = ''
    }
    return events
  }

  #field(line: string): void {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'data') this.#data.push(value)
    else if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
  }

  #take(): StreamEvent {
    const event = { event: this.#event || 'message', id: this.#id, data: this.#data.join('\n') }
    this.#event = ''
    this.#id = undefined
    this.#data = []
    return event
  }
}
