import { grantType } from '../grant-type.js'
import { isRecord } from '../record.js'
import { hashToken } from './identity.js'

/** Compact serialization; the signature of an unsecured JWT is empty, and it must be known for a JWT to be refused. */
const compact = /^([\w-]+)\.([\w-]+)\.[\w-]*$/

/** Whether the token is a JWT by its looks: three parts, of which the first is a header that names an algorithm. Nothing is verified. */
export function looksLikeJwt(token: string): boolean {
  return typeof jwtHeader(token)?.alg === 'string'
}

/** The header of what looks like a JWT, unverified. */
export function jwtHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  return part(compact.exec(token)?.[1])
}

/** When a JWT ends by its own, unverified word, in Unix time in seconds. */
export function claimedEnd(token: string): number | undefined {
  const exp = part(compact.exec(token)?.[2])?.exp
  return typeof exp === 'number' ? exp : undefined
}

/**
 * How a JWT is known: the hash of what is signed. Not of the signature: several spellings of it are as good (the last letter of
 * base64url has bits to spare, ECDSA has two signatures for each), and one that is logged out must not come back by another.
 */
export function hashJwt(token: string): string {
  return hashToken(token.slice(0, token.lastIndexOf('.')))
}

/** Whether a header's `typ` is that of grants, in any of the spellings that RFC 7515 allows. */
export function isGrantType(typ: unknown): boolean {
  return typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === grantType
}

function part(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
