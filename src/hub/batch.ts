import type { Frame } from '../frame.js'

/**
 * A run of frames that wait to be written, as a chain of which each link knows the one before it.
 *
 * Appending the same frame to the same batch gives the same batch, so subscribers with the same queue hold one reference
 * each, and the bytes are joined once for all of them. A queue costs a subscriber nothing else.
 */
export class Batch {
  /** Bytes of all its frames. */
  readonly bytes: number
  /** The `n` of its first message; undefined when it holds none. */
  readonly firstN: number | undefined
  readonly #before: Batch | undefined
  readonly #frame: Frame
  #after: Batch | undefined
  #joined: Buffer | undefined
  #split: readonly [Batch, Batch] | undefined

  constructor(frame: Frame, before?: Batch) {
    this.#frame = frame
    this.#before = before
    this.bytes = frame.bytes.length + (before?.bytes ?? 0)
    this.firstN = before?.firstN ?? (frame.event === 'message' ? frame.cursor?.n : undefined)
  }

  /** The batch that holds `frames` in their order; undefined for none. */
  static of(frames: Iterable<Frame>, before?: Batch): Batch | undefined {
    let batch = before
    for (const frame of frames) batch = batch === undefined ? new Batch(frame) : batch.append(frame)
    return batch
  }

  /** Whether it is the batch of this one frame. */
  holdsOnly(frame: Frame): boolean {
    return this.#frame === frame && this.#before === undefined
  }

  /** The batch with one more frame at its end. */
  append(frame: Frame): Batch {
    const known = this.#after
    if (known !== undefined && known.#frame === frame) return known
    const after = new Batch(frame, this)
    this.#after = after
    return after
  }

  /** All frames, first to last. */
  frames(): readonly Frame[] {
    const frames: Frame[] = []
    for (let batch: Batch | undefined = this; batch !== undefined; batch = batch.#before)
      frames.push(batch.#frame)
    return frames.reverse()
  }

  /** All bytes in one piece, joined once. */
  get joined(): Buffer {
    if (this.#before === undefined) return this.#frame.bytes
    this.#joined ??= Buffer.concat(
      this.frames().map(frame => frame.bytes),
      this.bytes,
    )
    return this.#joined
  }

  /** A first part of at most `maxBytes` (but at least one frame) and the rest, if there is one. */
  split(maxBytes: number): readonly [Batch, Batch | undefined] {
    if (this.bytes <= maxBytes || this.#before === undefined) return [this, undefined]
    if (this.#split !== undefined) return this.#split
    let first: Batch | undefined
    let rest: Batch | undefined
    for (const frame of this.frames()) {
      if (first === undefined) first = new Batch(frame)
      else if (rest === undefined && first.bytes + frame.bytes.length <= maxBytes) first = first.append(frame)
      else rest = rest === undefined ? new Batch(frame) : rest.append(frame)
    }
    if (first === undefined || rest === undefined) return [this, undefined]
    this.#split = [first, rest]
    return this.#split
  }
}
