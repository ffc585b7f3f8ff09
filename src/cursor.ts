/**
 * A place in a site's log, written `<ms>-<n>`: "I have everything up to here". It is the SSE event id.
 *
 * `n` counts the site's entries without a hole; `ms` (Unix time, milliseconds) never decreases. Two cursors are the same
 * place only if both parts are equal: after a log was lost and begun anew, the same `n` comes with another `ms`.
 */
export interface Cursor {
  readonly ms: number
  readonly n: number
}

/** Where a subscriber says it wants to go on from: a cursor, or a Unix time in ms ("everything stored after it"). */
export type Since = { readonly cursor: Cursor } | { readonly timeMs: number } | 'malformed'

const cursorForm = /^(\d{1,15})-(\d{1,15})$/
const timeForm = /^\d{1,15}$/

/** The text form. It holds only `[0-9-]`, because another character in `Last-Event-ID` would cost a CORS preflight. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.ms}-${cursor.n}`
}

/** Reads `since` or `Last-Event-ID`. What is neither a cursor nor a time is `'malformed'`: a gap, never an error. */
export function parseSince(text: string): Since {
  if (timeForm.test(text)) return { timeMs: Number(text) }
  const parts = cursorForm.exec(text)
  if (parts === null) return 'malformed'
  return { cursor: { ms: Number(parts[1]), n: Number(parts[2]) } }
}
