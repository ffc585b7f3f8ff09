import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from './auth/identity.js'
import { defaultSite } from './config.js'
import type { Site } from './site.js'
import type { AddressCount } from './transports/address-count.js'
import type { HandshakeOptions } from './transports/handshake.js'
import { PollCollector, type PollOptions } from './transports/long-poll.js'
import { registerPoll } from './transports/poll-route.js'
import type { StreamOptions } from './transports/sse.js'
import { registerStream } from './transports/stream-route.js'

/** Where the routes of a site are. */
export function sitePrefix(name: string): string {
  return name === defaultSite ? '/v1' : `/sites/${name}/v1`
}

/** The site, other than the default one, to which an address belongs as it is written. */
export function siteAt(url: string, sites: readonly Site[]): Site | undefined {
  const name = /^\/sites\/([^/?]+)/.exec(url)?.[1]
  return name === undefined || name === defaultSite ? undefined : sites.find(site => site.name === name)
}

/** Bounds all routes that are registered on `scope` from now on by the site's rules: who may connect, and how much be sent. */
export function boundBySite(scope: FastifyInstance, { config }: Site): void {
  scope.addHook('onRoute', route => {
    route.config = { ...route.config, originRules: config }
    route.bodyLimit ??= config.maxBodyBytes
  })
}

/** What the streams of a site need. `addresses`: connections of each address, of all sites together. */
export function streamOptions(site: Site, addresses: AddressCount): StreamOptions {
  return { ...handshakeOptions(site), addresses, streamAgeMs: site.config.streamAgeMs }
}

/** What the polls of a site need. */
export function pollOptions(site: Site, addresses: AddressCount): PollOptions {
  const { clock, config } = site
  const collector = new PollCollector(clock)
  return { ...handshakeOptions(site), addresses, collector, pollWaitMs: config.pollWaitMs }
}

function handshakeOptions(site: Site): HandshakeOptions {
  const { config, clock, hub, authenticator, memberships, grants } = site
  return {
    authenticator,
    memberships,
    grants,
    clock,
    hub,
    anonymousChannels: config.anonymousChannels,
    heartbeatMs: config.heartbeatMs,
    staleIfErrorMs: config.staleIfErrorMs,
    limits: config,
    tokenCookie: config.tokenCookie,
    originRules: config,
    isServing: () => site.isServing,
    hasPlace: () => site.hasPlace,
  }
}

/** What streams and polls of a site need from whoever registers them. */
export interface TransportParts {
  /** Connections of each address, of all sites together. */
  readonly addresses: AddressCount
  /** Who asks, where that is more than the request's address and browser. */
  readonly callerOf?: ((request: FastifyRequest) => Caller) | undefined
}

/** The browsers' side of a site. */
export function registerTransports(
  scope: FastifyInstance,
  site: Site,
  { addresses, callerOf }: TransportParts,
): void {
  registerStream(scope, { ...streamOptions(site, addresses), callerOf })
  registerPoll(scope, { ...pollOptions(site, addresses), callerOf })
}
