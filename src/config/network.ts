import { isIPv4, isIPv6 } from 'node:net'
import type { Kind } from './kind.js'

/**
 * Where a server listens: a TCP port (0: a free one) or a Unix socket. `host: undefined` means all
 * interfaces, IPv6 and IPv4, as `node:net` has it; beware that Fastify's own `listen` takes a missing host
 * for `localhost`.
 */
export type Address = { readonly host: string | undefined; readonly port: number } | { readonly path: string }

/** Linux' `sun_path` without its closing NUL. A longer path would be cut off in silence. */
const longestSocketPath = 107

/** `8080` (all interfaces), `host:port`, `[::1]:8080`, `unix:/path`. */
export const address: Kind<Address> = {
  placeholder: 'ADDRESS',
  what: 'PORT, HOST:PORT, [IPV6]:PORT (port 0 to 65535) or unix:/PATH (at most 107 bytes)',
  limits: '',
  json: ['string', 'number'],
  parse: text => {
    if (text.startsWith('unix:')) return unixAddress(text.slice('unix:'.length))
    const [, bracketed, bare, digits] = /^(?:(?:\[([^\]]*)\]|([^:]+)):)?(\d{1,5})$/.exec(text) ?? []
    const port = Number(digits)
    if (!(port <= 65_535)) return undefined
    if (bracketed !== undefined)
      return isIPv6(bracketed) ? { host: bracketed.toLowerCase(), port } : undefined
    if (bare !== undefined) return isHostName(bare) ? { host: bare.toLowerCase(), port } : undefined
    return { host: undefined, port }
  },
}

function unixAddress(path: string): Address | undefined {
  const fits = Buffer.byteLength(path) <= longestSocketPath
  return path.startsWith('/') && fits && !path.includes('\0') ? { path } : undefined
}

function isHostName(host: string): boolean {
  // A mistyped IPv4 address (127.0.0.256) would otherwise be looked up as a name.
  return /^[\d.]+$/.test(host) ? isIPv4(host) : /^[a-z0-9_][a-z0-9._-]*$/i.test(host)
}

/**
 * Do two addresses get in each other's way? Names are compared as they are written: that `localhost` is
 * 127.0.0.1 is for the operating system to find out. Port 0 never collides.
 */
export function overlaps(one: Address, other: Address): boolean {
  if ('path' in one || 'path' in other) return 'path' in one && 'path' in other && one.path === other.path
  if (one.port !== other.port || one.port === 0) return false
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host)
}

function covers(wide: string | undefined, host: string | undefined): boolean {
  if (wide === undefined || wide === '::') return true
  return wide === '0.0.0.0' && (host === undefined || isIPv4(host))
}

/** An address as one writes it on the command line. */
export function formatAddress(address: Address): string {
  if ('path' in address) return `unix:${address.path}`
  if (address.host === undefined) return String(address.port)
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`
}

/**
 * An origin exactly as browsers send it: lower case, no default port, no path. Patterns are refused: a star
 * inside a host would be compared literally and never match.
 */
export const origin: Kind<string> = {
  placeholder: 'ORIGIN',
  what: 'https://HOST or https://HOST:PORT (or http://), without a path or a slash at the end, or * for all',
  limits: '',
  json: ['string'],
  parse: text => {
    if (text === '*') return text
    return /^https?:\/\/[^/?#@\\*\s]+$/i.test(text) && URL.canParse(text) ? new URL(text).origin : undefined
  },
}

/**
 * A URL to call. One with a user name is refused: `fetch` does not take it, and passwords in URLs end up in
 * logs.
 */
export const httpUrl: Kind<string> = {
  placeholder: 'URL',
  what: 'an http:// or https:// URL without user name, password and #fragment',
  limits: '',
  json: ['string'],
  parse: text => {
    if (!/^https?:\/\/[^\s#\\]+$/i.test(text) || !URL.canParse(text)) return undefined
    const url = new URL(text)
    return url.username === '' && url.password === '' ? url.href : undefined
  },
}

/** An address, a range or one of the three names that Fastify's `trustProxy` knows. */
export const addressRange: Kind<string> = {
  placeholder: 'ADDRESSES',
  what: 'an IP address, a range such as 10.0.0.0/8, loopback, linklocal or uniquelocal',
  limits: '',
  json: ['string'],
  parse: text => {
    if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return text
    const [, ip = '', digits] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
    const widest = isIPv4(ip) ? 32 : isIPv6(ip) ? 128 : 0
    const prefix = digits === undefined ? widest : Number(digits)
    return prefix >= 1 && prefix <= widest ? text : undefined
  },
}
