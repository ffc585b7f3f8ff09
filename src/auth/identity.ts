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
  /** The first channel asked for that is not allowed, if any; the others are in `channels`. */
  readonly refused: string | undefined
}

/** What decides about a subscriber's channels beside its identity. */
export interface Entitling {
  /** The channels that it names; none, or `*` among them: all that the identity names in full. */
  readonly asked: readonly string[]
  /** Names and patterns that it may ask for beside its own. */
  readonly open: readonly string[]
  /** Channels that it has whatever it names. */
  readonly added: readonly string[]
  /** Names and patterns that do not count now: where one is asked for, it is left out and not refused. */
  readonly lapsed: readonly string[]
  /** Whether the identity's word does not count for the channel. */
  readonly isHidden: (channel: string) => boolean
}

/** Asked for: all that the identity names in full, beside what else is named. No channel is called so. */
export const allListed = '*'

/**
 * Which channels a subscriber listens on: those it asks for, as far as they are allowed; without asking, all that the identity
 * names in full; and always those that were added.
 */
export function entitle(
  identity: Identity,
  { asked, open, added, lapsed, isHidden }: Entitling,
): Entitlement {
  const names = asked.filter(name => name !== allListed)
  const isAll = names.length === 0 || names.length < asked.length
  const listed = isAll ? identity.channels.filter(name => !name.endsWith('*')) : []
  const named = new Set(identity.channels)
  const own = identity.channels.filter(name => name.endsWith('*'))
  const given = new Set(added)
  const isCovered = (channel: string, patterns: readonly string[]) =>
    patterns.some(pattern => matchesPattern(pattern, channel))
  const isAllowed = (channel: string) =>
    given.has(channel) ||
    isCovered(channel, open) ||
    ((named.has(channel) || isCovered(channel, own)) && !isHidden(channel))
  return {
    channels: [...new Set([...[...listed, ...names].filter(isAllowed), ...added])],
    refused: names.find(channel => !isAllowed(channel) && !isCovered(channel, lapsed)),
  }
}
