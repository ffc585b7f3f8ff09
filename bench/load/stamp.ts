/**
 * What a publisher puts into the data of each message, so that every subscriber can tell what it should have got, in which
 * order, and how old it is: `~PPPPP.SSSS.NNNNNNN.TTTTTTTTTTTTTTT`, decimal, of fixed width, found again by its first byte.
 *
 * `P` is the phase, `S` the source (one publisher of that phase), `N` the message's number at that source, from 1, and `T`
 * the time at which it was published (see {@link nowMicros}).
 */
export interface Stamp {
  readonly phase: number
  readonly source: number
  readonly sequence: number
  readonly micros: number
}

/** The first byte of a stamp. Nothing else that a bench message says holds it. */
export const STAMP_BYTE = 0x7e

const SOURCE_AT = 7
const SEQUENCE_AT = 12
const MICROS_AT = 20

/** Length of a stamp in bytes, its first byte included. */
export const STAMP_LENGTH = 35

/** What stands in a request's template where the stamp of each message goes. */
export const STAMP_PLACEHOLDER = `~${'0'.repeat(STAMP_LENGTH - 1)}`

/** The stamp as text, {@link STAMP_LENGTH} bytes long. */
export function writeStamp(stamp: Stamp): string {
  return `~${digits(stamp.phase, 5)}.${digits(stamp.source, 4)}.${digits(stamp.sequence, 7)}.${digits(stamp.micros, 15)}`
}

/** The phase of the stamp whose first byte is at `at`. */
export function phaseAt(bytes: Uint8Array, at: number): number {
  return readDecimal(bytes, at + 1, at + SOURCE_AT - 1)
}

/** The source of the stamp whose first byte is at `at`. */
export function sourceAt(bytes: Uint8Array, at: number): number {
  return readDecimal(bytes, at + SOURCE_AT, at + SEQUENCE_AT - 1)
}

/** The sequence number of the stamp whose first byte is at `at`. */
export function sequenceAt(bytes: Uint8Array, at: number): number {
  return readDecimal(bytes, at + SEQUENCE_AT, at + MICROS_AT - 1)
}

/** The time of publishing, in µs, of the stamp whose first byte is at `at`. */
export function microsAt(bytes: Uint8Array, at: number): number {
  return readDecimal(bytes, at + MICROS_AT, at + STAMP_LENGTH)
}

/** The decimal number in `bytes[from, to)`; `NaN` if it holds anything but digits, or nothing. */
export function readDecimal(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to) return Number.NaN
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function digits(value: number, width: number): string {
  const text = String(value)
  if (text.length > width) throw new RangeError(`a stamp has no room for ${text} in ${width} digits`)
  return text.padStart(width, '0')
}
