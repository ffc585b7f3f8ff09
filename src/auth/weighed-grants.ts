import { type GenuineGrant, type Grant, type GrantRefusal, grantRefusals } from './grant.js'

/** Why a grant does not count, for the page that it came from. */
export interface RefusedGrant {
  /** Its place among the grants of the request, from 0. */
  readonly grant: number
  readonly reason: GrantRefusal
}

/** What the grants that count give. */
export interface Granted {
  /** Channels to listen on. */
  readonly added: readonly string[]
  /** Prefix patterns that allow what is asked for. */
  readonly open: readonly string[]
}

/** What the grants of one subscription come to, at one moment and for one user. */
export interface WeighedGrants extends Granted {
  /** Names and patterns of genuine grants that do not count. */
  readonly lapsed: readonly string[]
  readonly refused: readonly RefusedGrant[]
  /** When the first of those that count ends, in Unix time in ms; Infinity: none does. */
  readonly endMs: number
}

/** What no grants come to; shared by all who have none. */
const none: WeighedGrants = {
  added: [],
  open: [],
  lapsed: [],
  refused: [],
  endMs: Number.POSITIVE_INFINITY,
}

/**
 * Weighs the grants in their order. `isFitting` says whether a subscription with so much granted is not too large; a grant that
 * would make it so does not count.
 */
export function weighGrants(
  grants: readonly Grant[],
  uid: string | null,
  nowMs: number,
  isFitting: (granted: Granted) => boolean,
): WeighedGrants {
  if (grants.length === 0) return none
  const refused: RefusedGrant[] = []
  const counting: GenuineGrant[] = []
  const lapsed: string[] = []
  for (const [index, grant] of grants.entries()) {
    const reason = refusal(grant, uid, nowMs) ?? overflow([...counting, grant], isFitting)
    if (reason !== undefined) refused.push({ grant: index, reason })
    if (!grant.isGenuine) continue
    if (reason === undefined) counting.push(grant)
    else lapsed.push(...grant.channels)
  }
  const endMs = Math.min(...counting.map(grant => grant.expiresMs))
  return { ...granted(counting), lapsed, refused, endMs }
}

function refusal(grant: Grant, uid: string | null, nowMs: number): GrantRefusal | undefined {
  if (!grant.isGenuine) return grant.reason
  if (grant.expiresMs <= nowMs) return grantRefusals.expired
  return grant.uid === undefined || grant.uid === uid ? undefined : grantRefusals.user
}

function overflow(
  grants: readonly Grant[],
  isFitting: (granted: Granted) => boolean,
): GrantRefusal | undefined {
  return isFitting(granted(grants)) ? undefined : grantRefusals.many
}

function granted(grants: readonly Grant[]): Granted {
  const channels = grants.flatMap(grant => (grant.isGenuine ? grant.channels : []))
  return {
    added: [...new Set(channels.filter(name => !name.endsWith('*')))],
    open: channels.filter(name => name.endsWith('*')),
  }
}
