/** What a command has of the process around it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Returns a file's text, or throws. */
  readonly readFile: (path: string) => string
  /** Reads the standard input to its end. */
  readonly readInput: () => Promise<string>
  /** Writes to the standard output. */
  readonly write: (text: string) => void
  /** Writes to the standard error: what is not the result. */
  readonly complain: (text: string) => void
  /** Aborted when the user has had enough (Ctrl-C). Commands that do not ask for it end at once then. */
  readonly interruption: () => AbortSignal
}

/**
 * Makes text harmless on a terminal: control characters and those that turn the direction of writing are escaped the way JSON
 * does, so that JSON stays the same JSON. Line breaks and tabs are escaped too.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
