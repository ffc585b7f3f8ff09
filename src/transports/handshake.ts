import { parse as parseCookies } from 'cookie'
import type { Grant, GrantVerifier } from '../auth/grant.js'
import { allListed, type Caller } from '../auth/identity.js'
import { bearer } from '../auth/service-key.js'
import { parseSince, type Since } from '../cursor.js'
import { Busy, ChannelForbidden, InvalidRequest, TokenRefused, UrlTooLong } from '../errors.js'
import { channelNameProblem } from '../message.js'
import { mayBringCookies, type OriginRules, type PageRequest } from './origin.js'
import { Session, type SessionServices } from './session.js'

/** Grants that one request may carry: each costs the check of a signature. */
const maxGrants = 8

/** Shared by all who come without, which are most. */
const noGrants: readonly Grant[] = []

/** What bounds a subscription's request. */
export interface HandshakeLimits {
  /** Bytes of the address, from the path on. */
  readonly maxUrlBytes: number
  readonly maxTokenBytes: number
  /** Channels of one subscriber. */
  readonly maxChannels: number
  readonly maxChannelBytes: number
}

/** A request for a subscription, whoever has read it. Fastify's request is one. */
export interface Asking extends PageRequest {
  /** The address, from the path on, as it was sent. */
  readonly url: string
  /** Where the visitor is; of a trusted proxy, what that says. */
  readonly ip: string
}

/** What the handshake needs beside the session's services. */
export interface HandshakeOptions extends SessionServices {
  readonly limits: HandshakeLimits
  readonly grants: GrantVerifier
  /** The cookie that carries the token where no header and no query parameter does; undefined: none. */
  readonly tokenCookie: string | undefined
  /** Pages of which origins bring the cookie. */
  readonly originRules: OriginRules
  /** Whether the node serves: it has read the log, and it is not going away. */
  readonly isServing: () => boolean
  /** Whether the site may have one more connection. */
  readonly hasPlace: () => boolean
}

/** A subscription that may begin. */
export interface Subscription {
  readonly session: Session
  readonly since: Since | undefined
  /** Whether the client has never received anything, as far as one can see. */
  readonly isInitial: boolean
  readonly query: URLSearchParams
}

/** Who asks, by the request's address and browser. */
export function callerOf(request: Asking): Caller {
  return { ip: request.ip, userAgent: request.headers['user-agent'] }
}

/**
 * From a request for a stream or a poll to a session: the credential, the identity, the channels.
 *
 * @throws the refusals of the error table. What is transient is for the transport to word.
 */
export async function shakeHands(
  request: Asking,
  caller: Caller,
  options: HandshakeOptions,
): Promise<Subscription> {
  const { limits } = options
  const { url } = request
  if (Buffer.byteLength(url) > limits.maxUrlBytes) throw new UrlTooLong(limits.maxUrlBytes)
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')
  const channels = askedChannels(query, limits)
  const grantsAsked = query.getAll('grant')
  if (grantsAsked.length > maxGrants) throw new InvalidRequest(`grant: at most ${maxGrants} in one request`)
  // The header, else the query, else the cookie; a bad one is refused and never passed over for the next.
  const key = bearer(request.headers.authorization)
  const token = key ?? credential(request, query, options)
  checkToken(token, limits)
  checkServing(options)

  const grants = grantsAsked.length === 0 ? noGrants : await verifyAll(grantsAsked, options.grants)
  const holdsGrant = grants.some(grant => grant.isGenuine)
  const principal = await options.authenticator.authenticate(token, caller, key !== undefined, holdsGrant)
  const session = new Session(options, { token, caller, channels, grants }, principal)
  settle(session)
  const lastEventId = request.headers['last-event-id']
  const since = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : query.get('since')
  return {
    session,
    since: since === null || since === '' ? undefined : parseSince(since),
    isInitial: since !== lastEventId && !query.has('v'),
    query,
  }
}

/**
 * The last look, in the same turn in which the subscription begins: a logout, a kick, a change of memberships or the beginning of a
 * stop that came while the token was verified would otherwise find nobody to tell.
 *
 * @throws as `shakeHands` does.
 */
export function admit({ session }: Subscription, options: HandshakeOptions): void {
  checkServing(options)
  options.authenticator.check(session.principal)
  settle(session)
  options.memberships.visited(session.principal.identity.uid)
}

function settle(session: Session): void {
  const { channels, refused, maxChannels } = session.settle()
  if (refused !== undefined) throw new ChannelForbidden(refused)
  if (channels.length > maxChannels) {
    throw new InvalidRequest(
      `the identity lists ${channels.length} channels; a subscriber has at most ${maxChannels}: ` +
        'name the ones that the page needs by channel=…',
    )
  }
}

/** One after the other: whoever sends many bad ones waits for them. */
async function verifyAll(asked: readonly string[], verifier: GrantVerifier): Promise<readonly Grant[]> {
  const grants: Grant[] = []
  for (const grant of asked) grants.push(await verifier.verify(grant))
  return grants
}

function checkServing({ isServing, hasPlace }: HandshakeOptions): void {
  if (!isServing()) throw new Busy('not serving now')
  if (!hasPlace()) throw new Busy('this site has as many connections as it may have')
}

function askedChannels(query: URLSearchParams, limits: HandshakeLimits): readonly string[] {
  const channels = query.getAll('channel')
  if (channels.length > limits.maxChannels) {
    throw new InvalidRequest(
      `channel: ${channels.length} named; a subscriber has at most ${limits.maxChannels}`,
    )
  }
  for (const name of channels) {
    const problem = name === allListed ? undefined : channelNameProblem(name, limits.maxChannelBytes)
    if (problem !== undefined) throw new InvalidRequest(`channel: ${problem}`)
  }
  return channels
}

/** The token in the query, else in the cookie. */
function credential(
  request: Asking,
  query: URLSearchParams,
  { tokenCookie, originRules }: HandshakeOptions,
): string | undefined {
  const token = query.get('token')
  if (token !== null) return token
  if (tokenCookie === undefined || !mayBringCookies(request, originRules)) return undefined
  return parseCookies(request.headers.cookie ?? '')[tokenCookie]
}

function checkToken(token: string | undefined, { maxTokenBytes }: HandshakeLimits): void {
  if (token === '') throw new TokenRefused()
  if (token !== undefined && Buffer.byteLength(token) > maxTokenBytes) {
    throw new InvalidRequest(`the token is over ${maxTokenBytes} bytes`)
  }
}
