import { hash } from 'node:crypto'
import { matchesPattern } from '../message.js'

/** The CMS's answer about a token. */
export interface Identity {
  /** The user; null for an anonymous reader. */
  readonly uid: string | null
  /** Channels it may read, and prefix patterns (`public_*`), which allow but subscribe to nothing. */
  readonly channels: readonly string[]
  /** Uids that are told when this user comes and goes. */
  readonly visibleTo: readonly string[]
  /** Whatever the CMS wants the page to know. */
  readonly info: unknown
  /** Seconds, from when it was asked, for which the CMS vouches. */
  readonly expiresIn: number
}

/** An identity, and when it was found out. */
export interface Verified {
  readonly identity: Identity
  /** When the CMS was asked, on the clock's monotonic scale. What happened later may not be known to the answer. */
  readonly askedMs: number
}

/** Who asks. */
export interface Caller {
  readonly ip: string
  readonly userAgent: string | undefined
}

/** How a token is known everywhere but in the call to the CMS: sha256, base64url. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url')
}

/** The channels of a subscription. */
export interface Entitlement {
  /** The channels to listen on. */
  readonly channels: readonly string[]
  /** How many of them are there because they were asked for, or because the identity lists them. */
  readonly own: number
  /** The first channel asked for that is not allowed, if any; the others are in `channels`. */
  readonly refused: string | undefined
}

/** What decides about a subscriber's channels beside its identity. */
export interface Entitling {
  /** The channels that it names; none: all that the identity names in full. */
  readonly asked: readonly string[]
  /** Names and patterns that everybody may ask for. */
  readonly open: readonly string[]
  /** Channels that it has whatever it names. */
  readonly added: readonly string[]
  /** Whether the identity's word does not count for the channel. */
  readonly isHidden: (channel: string) => boolean
}

/**
 * Which channels a subscriber listens on: those it asks for, as far as they are allowed; without asking, all that the identity
 * names in full; and always those that were added.
 */
export function entitle(identity: Identity, { asked, open, added, isHidden }: Entitling): Entitlement {
  const wanted = new Set(asked.length === 0 ? identity.channels.filter(name => !name.endsWith('*')) : asked)
  const named = new Set(identity.channels)
  const own = identity.channels.filter(name => name.endsWith('*'))
  const isCovered = (channel: string, patterns: readonly string[]) =>
    patterns.some(pattern => matchesPattern(pattern, channel))
  const isAllowed = (channel: string) =>
    isCovered(channel, open) || ((named.has(channel) || isCovered(channel, own)) && !isHidden(channel))
  const given = new Set(added)
  const channels = [...wanted].filter(channel => given.has(channel) || isAllowed(channel))
  return {
    channels: [...new Set([...channels, ...added])],
    own: channels.length,
    refused: asked.find(channel => !given.has(channel) && !isAllowed(channel)),
  }
}
