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

/** Where a visitor is; undefined: nobody says it. Of each peer that is believed, it is the one that that peer names. */
export function addressOf(
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

/** The host that the browser asked. */
export function hostOf(peer: string | undefined, headers: IncomingHttpHeaders, trust: Trust): string {
  const forwarded = String(headers['x-forwarded-host'] ?? '')
  if (forwarded === '' || !trust(peer, 0)) return headers.host ?? ''
  return (forwarded.split(',').at(-1) ?? '').trim()
}
