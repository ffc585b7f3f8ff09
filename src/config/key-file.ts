import type { ServiceKey } from '../auth/service-key.js'
import { readKeyLine, restrictedForm } from './service-key.js'

/** What a file of service keys holds. */
export interface KeyFile {
  readonly keys: readonly ServiceKey[]
  readonly problems: readonly string[]
}

/**
 * Reads a file of service keys: one a line, with what it is restricted to behind it; blank lines and lines that start with # are skipped. Problems
 * name lines, and neither keys nor the path: `--service-key-file` followed by the key itself is an easy
 * mistake.
 */
export function readKeyFile(source: string, path: string, readFile: (path: string) => string): KeyFile {
  const text = readText(path, readFile)
  if (text instanceof Error) return { keys: [], problems: [`${source}: ${unreadable(text)}`] }
  const keys: ServiceKey[] = []
  const problems: string[] = []
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const key = readKeyLine(text)
    if (key !== undefined) keys.push(key)
    else
      problems.push(`${source}: line ${index + 1} of the file is not allowed; it must be ${restrictedForm}`)
  }
  if (keys.length === 0 && problems.length === 0) problems.push(`${source}: the file holds no key`)
  return { keys, problems }
}

/** The file's text, or the error that reading it threw. */
export function readText(path: string, readFile: (path: string) => string): string | Error {
  try {
    return readFile(path)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Says why a file cannot be read, in the words of the operating system, without the path that ends them. */
export function unreadable(error: Error): string {
  const reason = /^E[A-Z]+: [^,]+/.exec(error.message)?.[0]
  return `the file cannot be read${reason === undefined ? '' : ` (${reason})`}`
}
