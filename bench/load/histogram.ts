/** A histogram as it travels between processes: pairs of bucket and count, and the exact extremes. */
export interface HistogramData {
  readonly buckets: readonly (readonly [bucket: number, count: number])[]
  readonly minMicros: number
  readonly maxMicros: number
}

/** Values below this have a bucket each; above, each doubling is cut into half as many. */
const EXACT = 256
const PER_OCTAVE = EXACT / 2
const FIRST_OCTAVE = 8
const LARGEST = 2 ** 32 - 1

/**
 * Counts durations in µs, to within 0.8 % of their value, in memory that does not grow with their number.
 *
 * The smallest and the largest are kept exactly. Durations over 71 minutes count as that.
 */
export class Histogram {
  readonly #counts = new Float64Array(EXACT + (32 - FIRST_OCTAVE) * PER_OCTAVE)
  #total = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  /** One histogram of what several have counted. */
  static sum(parts: readonly HistogramData[]): Histogram {
    const sum = new Histogram()
    for (const part of parts) sum.merge(part)
    return sum
  }

  /** How many durations were counted. */
  get total(): number {
    return this.#total
  }

  /** The shortest, in µs; 0 when nothing was counted. */
  get minMicros(): number {
    return this.#total === 0 ? 0 : this.#min
  }

  /** The longest, in µs; 0 when nothing was counted. */
  get maxMicros(): number {
    return this.#max
  }

  /** Counts one duration. A negative one counts as 0: it would be the resolution of the clock. */
  add(micros: number): void {
    const value = micros < 0 ? 0 : micros > LARGEST ? LARGEST : Math.floor(micros)
    const bucket = bucketOf(value)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total++
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /** The duration, in µs, that `share` (0 to 1) of all counted ones do not exceed; 0 when nothing was counted. */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#total))
    if (rank >= this.#total) return this.maxMicros
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, middleOf(bucket)))
    }
    return this.maxMicros
  }

  /** Adds what another histogram counted. */
  merge(data: HistogramData): void {
    for (const [bucket, count] of data.buckets) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
      this.#total += count
    }
    if (data.buckets.length === 0) return
    this.#min = Math.min(this.#min, data.minMicros)
    this.#max = Math.max(this.#max, data.maxMicros)
  }

  /** What was counted, small enough for a message between processes. */
  toData(): HistogramData {
    const buckets: [number, number][] = []
    this.#counts.forEach((count, bucket) => {
      if (count > 0) buckets.push([bucket, count])
    })
    return { buckets, minMicros: this.minMicros, maxMicros: this.maxMicros }
  }
}

function bucketOf(value: number): number {
  if (value < EXACT) return value
  const octave = 31 - Math.clz32(value)
  return EXACT + (octave - FIRST_OCTAVE) * PER_OCTAVE + (value >>> (octave - FIRST_OCTAVE + 1)) - PER_OCTAVE
}

/** The middle of what a bucket counts. */
function middleOf(bucket: number): number {
  if (bucket < EXACT) return bucket
  const octave = Math.floor((bucket - EXACT) / PER_OCTAVE)
  const width = 2 ** (octave + 1)
  return (PER_OCTAVE + ((bucket - EXACT) % PER_OCTAVE)) * width + width / 2
}
