import { readFileSync } from 'node:fs'
import { isRecord } from './record.js'

/** The version of this package, as its package.json has it; empty: it has none. @throws when that cannot be read. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const content: unknown = JSON.parse(text)
  return isRecord(content) && typeof content.version === 'string' ? content.version : ''
}
