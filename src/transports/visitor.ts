import type { IncomingHttpHeaders } from 'node:http'
import proxyAddr from '@fastify/proxy-addr'

/** Whether the headers `X-Forwarded-…` of a peer are believed; undefined: the peer has no address, as on a Unix socket. */
export type Trust = (address: string | undefined, hop: number) => boolean

/** Whose `X-Forwarded-…` are believed, as Fastify reads the option of this name. */
export function trustOf(trustProxy: boolean | readonly string[]): Trust {
  if (typeof trustProxy === 'boolean') return () => trustProxy
  const isTrusted = proxyAddr.compile([...trustProxy])
  return (address, hop) => address !== undefined && isTrusted(address, hop)
}

/** What says who asks, beside what was asked. */
export interface Visitor {
  /** Where the visitor is. */
  readonly ip: string
  /** The host that the browser asked. */
  readonly host: string
}

/** Who is behind a peer; undefined: nobody says where. */
export function visitorOf(
  peer: string | undefined,
  headers: IncomingHttpHeaders,
  trust: Trust,
): Visitor | undefined {
  const ip = addressOf(peer, headers, trust)
  return ip === undefined ? undefined : { ip, host: hostOf(peer, headers, trust) }
}

/** Of each peer that is believed, it is the one that that peer names. */
function addressOf(
  peer: string | undefined,
  { 'x-forwarded-for': forwarded = '' }: IncomingHttpHeaders,
  trust: Trust,
): string | undefined {
  const named = String(forwarded)
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .reverse()
  let address = peer
  for (const [hop, next] of named.entries()) {
    if (!trust(address, hop)) break
    address = next
  }
  return address
}

function hostOf(peer: string | undefined, headers: IncomingHttpHeaders, trust: Trust): string {
  const forwarded = String(headers['x-forwarded-host'] ?? '')
  if (forwarded === '' || !trust(peer, 0)) return headers.host ?? ''
  return (forwarded.split(',').at(-1) ?? '').trim()
}
