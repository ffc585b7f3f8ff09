import { isOperation, type Operation, operationNames } from '../auth/key-rights.js'
import type { RestrictedKey, ServiceKey } from '../auth/service-key.js'
import { channelPattern, type Kind, matching } from './kind.js'

/** A plain key. No space, which ends a bearer token; no comma, which separates keys in the environment. */
export const plainKey = matching(
  'KEY',
  '16 to 512 printable ASCII characters without spaces or commas',
  /^[\x21-\x2b\x2d-\x7e]{16,512}$/,
)

/** How a restricted key is written in a file; it continues "must be …". */
export const restrictedForm = `a key of ${plainKey.what}, and behind it, if it may not do everything, operations=… (of ${operationNames}) or channels=… (names, or prefixes with one trailing star) or both, each list separated by commas`

/** A service key. Long enough that nobody guesses it. A restricted one is for files only: elsewhere commas separate keys. */
export const serviceKey: Kind<ServiceKey> = {
  ...plainKey,
  json: ['string', 'object'],
  jsonItem: {
    what: `${restrictedForm}; or the same as {"key", "operations", "channels"}`,
    parse: value => (typeof value === 'string' ? readKeyLine(value) : readKeyObject(value)),
  },
}

/** Reads `KEY operations=publish,read channels=log_*,status`; undefined if it is not allowed. Both parts may be missing. */
export function readKeyLine(line: string): ServiceKey | undefined {
  const [key = '', ...words] = line.trim().split(/\s+/)
  const parts = words.map(word => word.split('='))
  const names = parts.map(([name]) => name)
  const isForm = parts.every(([name, list]) => (name === 'operations' || name === 'channels') && list !== '')
  if (!isForm || new Set(names).size < names.length) return undefined
  const listOf = (name: string) => {
    const word = words[names.indexOf(name)]
    return word?.slice(name.length + 1).split(',')
  }
  return restricted(key, listOf('operations'), listOf('channels'))
}

/** Reads `{"key":"…","operations":["publish"],"channels":["log_*"]}`. */
function readKeyObject(value: unknown): ServiceKey | undefined {
  if (typeof value !== 'object' || value === null || !('key' in value)) return undefined
  const { key, operations, channels, ...rest }: Record<string, unknown> = { ...value }
  const lists = [operations, channels].filter(list => list !== undefined)
  if (typeof key !== 'string' || !lists.every(isWords) || Object.keys(rest).length > 0) return undefined
  return restricted(
    key,
    isWords(operations) ? operations : undefined,
    isWords(channels) ? channels : undefined,
  )
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(word => typeof word === 'string')
}

function restricted(
  text: string,
  words: readonly string[] | undefined,
  channels: readonly string[] | undefined,
): ServiceKey | undefined {
  const key = plainKey.parse(text)
  const operations = words?.filter(isOperation)
  const isAllowed =
    operations?.length === words?.length &&
    (channels?.every(channel => channelPattern.parse(channel) !== undefined) ?? true)
  if (key === undefined || !isAllowed) return undefined
  if (operations === undefined && channels === undefined) return key
  return withRights(key, operations, channels)
}

function withRights(
  key: string,
  operations: readonly Operation[] | undefined,
  channels: readonly string[] | undefined,
): RestrictedKey {
  return { key, ...(operations !== undefined && { operations }), ...(channels !== undefined && { channels }) }
}
