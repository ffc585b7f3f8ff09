/** An event of a stream, as the specification dispatches it. */
export interface StreamEvent {
  /** The value of its `event` field; `message` without one. */
  readonly type: string
  readonly data: string
  /** Its own id; undefined when it has none, where EventSource would repeat the last. */
  readonly id: string | undefined
}

/**
 * Reads a stream of events, however its bytes are cut into chunks. An event that the stream's end cuts off is never given, nor
 * does its id count.
 *
 * Source: WHATWG HTML, "Server-sent events", parsing and interpreting an event stream.
 */
export class EventStream {
  // Takes one byte order mark off, and no more. Broken UTF-8 becomes U+FFFD, as specified.
  readonly #decoder = new TextDecoder()
  readonly #take: (event: StreamEvent) => void
  readonly #maxLength: number
  /** The pieces of the line that has not ended. */
  #line: string[] = []
  /** Characters of the line and of the data that have not ended. */
  #length = 0
  /** The last chunk ended with CR: an LF that follows belongs to it. */
  #skipsLineFeed = false
  #type = ''
  #data: string[] = []
  #id: string | undefined
  #lastId = ''
  #retryMs: number | undefined

  /**
   * @param take gets each event while the chunk that ends it is pushed
   * @param maxLength characters of one line, and of one event's data; it stops a stream whose lines never end from filling the
   * memory
   */
  constructor(take: (event: StreamEvent) => void, maxLength: number) {
    this.#take = take
    this.#maxLength = maxLength
  }

  /** The last id that the stream has named: empty before the first, and when it names an empty one. */
  get lastId(): string {
    return this.#lastId
  }

  /** The last `retry` that the stream has named, in ms. */
  get retryMs(): number | undefined {
    return this.#retryMs
  }

  /**
   * Takes the next bytes.
   *
   * @throws RangeError when an event is longer than `maxLength`
   */
  push(chunk: Uint8Array): void {
    let text = this.#decoder.decode(chunk, { stream: true })
    if (text === '') return
    if (this.#skipsLineFeed && text.startsWith('\n')) text = text.slice(1)
    this.#skipsLineFeed = text.endsWith('\r')
    const lines = text.split(/\r\n|\r|\n/)
    const rest = lines.pop() ?? ''
    for (const end of lines) {
      this.#grow(end)
      const line = this.#line.join('')
      this.#line = []
      if (line === '') this.#dispatch()
      else this.#readField(line)
    }
    this.#grow(rest)
  }

  /** Adds to the line. Only pieces are kept, so that a long line is put together once. */
  #grow(piece: string): void {
    if (piece === '') return
    this.#length += piece.length
    if (this.#length > this.#maxLength) throw new RangeError(`an event of over ${this.#maxLength} characters`)
    this.#line.push(piece)
  }

  #readField(line: string): void {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') {
      this.#data.push(value)
      return
    }
    this.#length -= line.length
    if (name === 'event') this.#type = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value)
    // Anything else is a comment (no name), or of a later version.
  }

  #dispatch(): void {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id }
    const hasData = this.#data.length > 0
    this.#lastId = this.#id ?? this.#lastId
    this.#type = ''
    this.#data = []
    this.#id = undefined
    this.#length = 0
    if (hasData) this.#take(event)
  }
}
