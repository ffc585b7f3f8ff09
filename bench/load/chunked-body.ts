const CR = 0x0d
const LF = 0x0a

/**
 * Takes the chunk framing of HTTP/1.1 (RFC 9112, 7.1) off a response that arrives in pieces, without copying.
 *
 * Trailers are not read: what follows the last chunk is ignored, and {@link ended} is set.
 */
export class ChunkedBody {
  /** Bytes of the current chunk's data that are still to come. */
  #left = 0
  #size = 0
  #state: 'size' | 'extension' | 'data' | 'after-data' = 'size'
  #ended = false

  /** Whether the last chunk has come. */
  get ended(): boolean {
    return this.#ended
  }

  /** Reads `bytes[from, to)` and gives each piece of content to `take`, as indexes into the same bytes. */
  feed(
    bytes: Uint8Array,
    from: number,
    to: number,
    take: (bytes: Uint8Array, from: number, to: number) => void,
  ): void {
    let at = from
    while (at < to && !this.#ended) {
      if (this.#state === 'data') {
        const end = Math.min(to, at + this.#left)
        take(bytes, at, end)
        this.#left -= end - at
        at = end
        if (this.#left === 0) this.#state = 'after-data'
        continue
      }
      const byte = bytes[at] ?? 0
      at++
      if (byte === LF) this.#endLine()
      else if (this.#state === 'size' && byte !== CR) this.#readSize(byte)
    }
  }

  #readSize(byte: number): void {
    const digit = Number.parseInt(String.fromCharCode(byte), 16)
    if (Number.isNaN(digit)) this.#state = 'extension'
    else this.#size = this.#size * 16 + digit
  }

  #endLine(): void {
    if (this.#state === 'after-data') {
      this.#state = 'size'
      return
    }
    this.#ended = this.#size === 0
    this.#left = this.#size
    this.#size = 0
    this.#state = 'data'
  }
}
