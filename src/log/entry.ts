import type { Cursor } from '../cursor.js'
import { Frame } from '../frame.js'
import type { Message } from '../message.js'
import type { Command } from './message-log.js'

/** A message in the log. Its frame is encoded here, once, for everybody who will ever read it on this node. */
export interface MessageEntry {
  readonly kind: 'message'
  readonly cursor: Cursor
  readonly keys: readonly string[]
  readonly frame: Frame
  /** Unix time in ms after which it is not replayed; equal to `cursor.ms` for a message that is live only. */
  readonly expiresMs: number
}

/** A command in the log. */
export interface CommandEntry {
  readonly kind: 'command'
  readonly cursor: Cursor
  readonly command: Command
}

/** A place in the log and what stands there. */
export type Entry = MessageEntry | CommandEntry

/** Makes the entry that stands at `cursor`. */
export function createEntry(cursor: Cursor, item: Message | Command): Entry {
  if (item.kind !== 'message') return { kind: 'command', cursor, command: item }
  const expiresMs = item.ttlMs === undefined ? Number.POSITIVE_INFINITY : cursor.ms + item.ttlMs
  return {
    kind: 'message',
    cursor,
    keys: item.keys,
    frame: new Frame('message', cursor, item.json),
    expiresMs,
  }
}

/** What an entry takes beside its frame and its keys; and what one key takes beside its text, its place in an index included. */
const [entryOverhead, keyOverhead] = [300, 200]

/**
 * What the entry takes of a retention's bytes: about what it takes of the memory. A message to a thousand users is small on the wire
 * and large here.
 */
export function entryBytes(entry: Entry): number {
  if (entry.kind === 'command') return entryOverhead
  let bytes = entryOverhead + entry.frame.bytes.length
  for (const key of entry.keys) bytes += keyOverhead + key.length
  return bytes
}
