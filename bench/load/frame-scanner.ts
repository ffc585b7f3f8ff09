import { readDecimal, STAMP_BYTE } from './stamp.js'

/** Who is told what a stream says. */
export interface FrameReceiver {
  /**
   * A frame that carries a stamp, which is a message of the bench.
   *
   * @param at index of the stamp's first byte in `bytes`, which belong to the scanner and change after the call
   * @param id the number that the frame's id ends with if it is of the form `<ms>-<n>`, else `NaN`
   */
  message(bytes: Uint8Array, at: number, id: number): void
  /**
   * A named event without a stamp: `ready`, `heartbeat`, `gap`, `close`, and whatever else a server says.
   *
   * @param id the same as for a message
   */
  event(name: string, id: number): void
}

const LF = 0x0a
const LETTER_D = 0x64
const LETTER_E = 0x65
const LETTER_I = 0x69
const DASH = 0x2d
const COLON = 0x3a
const SPACE = 0x20

/**
 * Reads the complete frames of an event stream in `bytes[from, to)` and returns where the first incomplete one starts; the
 * caller keeps the bytes from there on and gives them again, in front of what comes next.
 *
 * This is the inner loop of the load, which must cost less than what it measures: it makes no strings but of event names,
 * and lets the engine look for the ends of lines (half the time of a loop over the bytes, as measured). It reads lines that
 * end in LF (the servers here write no other) and no field over more than one line. Frames with neither a stamp nor an
 * event name (`retry`, comments) are passed over.
 */
export function scanFrames(bytes: Uint8Array, from: number, to: number, receiver: FrameReceiver): number {
  let frameStart = from
  let stampAt = -1
  let id = Number.NaN
  let event = ''
  let at = from
  while (at < to) {
    const lineEnd = bytes.indexOf(LF, at)
    if (lineEnd < 0 || lineEnd >= to) break
    switch (bytes[at]) {
      case LF:
        if (stampAt >= 0) receiver.message(bytes, stampAt, id)
        else if (event !== '') receiver.event(event, id)
        frameStart = at + 1
        stampAt = -1
        id = Number.NaN
        event = ''
        break
      case LETTER_D:
        stampAt = findStamp(bytes, at, lineEnd)
        break
      case LETTER_I:
        id = idNumber(bytes, at, lineEnd)
        break
      case LETTER_E:
        event = fieldValue(bytes, at, lineEnd)
        break
    }
    at = lineEnd + 1
  }
  return frameStart
}

function findStamp(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) if (bytes[at] === STAMP_BYTE) return at
  return -1
}

/** The number that an id of the form `<ms>-<n>` ends with, or `NaN`: ids of other forms say nothing about the order. */
function idNumber(bytes: Uint8Array, from: number, to: number): number {
  let start = bytes.indexOf(COLON, from) + 1
  while (bytes[start] === SPACE) start++
  const dash = bytes.indexOf(DASH, start)
  if (dash < 0 || dash >= to || Number.isNaN(readDecimal(bytes, start, dash))) return Number.NaN
  return readDecimal(bytes, dash + 1, to)
}

function fieldValue(bytes: Uint8Array, from: number, to: number): string {
  const line = String.fromCharCode(...bytes.subarray(from, to))
  return line.slice(line.indexOf(':') + 1).trimStart()
}
