import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { listen, shut } from './listening.js'

/** What the CMS of the tests signs tokens with. */
export const jwtSecret = 'a-secret-for-tokens-that-nobody-may-see'
/** What it signs grants with. */
export const grantSecret = 'a-secret-for-grants-that-nobody-may-see'

type Key = Parameters<SignJWT['sign']>[0]

/** What a test says of the signing; without it, HS256 with the secret of tokens. */
export interface Signing {
  readonly key?: Key | string
  readonly header?: { readonly alg?: string; readonly typ?: string; readonly kid?: string }
}

/** Signs a token. */
export async function signToken(
  claims: Record<string, unknown>,
  { key = jwtSecret, header = {} }: Signing = {},
): Promise<string> {
  const secret = typeof key === 'string' ? new TextEncoder().encode(key) : key
  return await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).sign(secret)
}

/** Signs a grant for the only site of a server. */
export async function signGrant(
  claims: Record<string, unknown>,
  { key = grantSecret, header = {} }: Signing = {},
): Promise<string> {
  const typ = { typ: 'downpipe-grant+jwt', ...header }
  return await signToken({ aud: 'default', ...claims }, { key, header: typ })
}

/** Puts a JWT together from parts, whatever they are. */
export function forge(header: unknown, claims: unknown, signature = ''): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${signature}`
}

/** Unix time in seconds, `seconds` from the given time in ms. */
export function fromNow(seconds: number, nowMs = Date.now()): number {
  return nowMs / 1_000 + seconds
}

/** A pair of keys; the public one as a key set has it. */
export interface Pair {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

/** Makes keys for an algorithm. `kid` undefined: the key has no name. */
export async function createPair(alg: string, kid?: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk: { ...jwk, ...(kid !== undefined && { kid, alg }) } }
}

/** A JWKS URL that tests script. */
export interface KeyServer {
  readonly url: string
  /** The keys that it answers with. */
  keys: readonly JWK[]
  /** How often it was asked. */
  asked: number
  /** Replaces the usual answer (undefined: back to it). */
  answer: ((response: ServerResponse, request: IncomingMessage) => void) | undefined
  close(): Promise<void>
}

/** Starts a JWKS URL on a free port, which ends with the test. */
export async function startKeyServer(t: { teardown(end: () => Promise<void>): void }): Promise<KeyServer> {
  const server = createServer((request, response) => {
    keyServer.asked += 1
    if (keyServer.answer !== undefined) {
      keyServer.answer(response, request)
      return
    }
    response.setHeader('content-type', 'application/jwk-set+json')
    response.end(JSON.stringify({ keys: keyServer.keys }))
  })
  const port = await listen(server)
  const keyServer: KeyServer = {
    url: `http://127.0.0.1:${port}/keys`,
    keys: [],
    asked: 0,
    answer: undefined,
    close: () => shut(server),
  }
  t.teardown(() => keyServer.close())
  return keyServer
}
