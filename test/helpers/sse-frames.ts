import type { ReaderEvent } from './reader.js'

/**
 * Reads the frames of a stream, and only what Downpipe may write: `retry`, `event`, `id` and one `data` line, ended by LF. Anything
 * else throws, so that bytes of another answer, or a field that a payload smuggled in, do not pass for a stream.
 */
export class SseFrames {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #take: (event: ReaderEvent) => void
  #rest = ''
  /** Milliseconds of the `retry` field. */
  retryMs: number | undefined

  constructor(take: (event: ReaderEvent) => void) {
    this.#take = take
  }

  /** Whether the last frame has come to its end. */
  get isWhole(): boolean {
    return this.#rest === ''
  }

  push(chunk: Uint8Array): void {
    const blocks = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) this.#read(block)
  }

  #read(block: string): void {
    const fields = new Map<string, string>()
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^(retry|event|id|data): ([^\r\n]*)$/.exec(line) ?? []
      if (name === '' || fields.has(name))
        throw new Error(`not a frame: ${JSON.stringify(block.slice(0, 500))}`)
      fields.set(name, value)
    }
    const retry = fields.get('retry')
    if (retry !== undefined) this.retryMs = Number(retry)
    const data = fields.get('data')
    if (data === undefined) return
    const event = fields.get('event') ?? 'message'
    this.#take({ event, id: fields.get('id'), data: data === '' ? undefined : JSON.parse(data) })
  }
}
