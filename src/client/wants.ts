import type { Wants } from './receiver.js'

/** All that the identity lists, by a name of its own. */
const all = '*'

// More is not accepted: a request has 8 grants, and an address 7 KB, with the token.
const MOST_GRANTS = 8
const MOST_CHARACTERS = 4000

/** Whether the list holds the name. */
export function has(list: readonly string[], name: string): boolean {
  return list.indexOf(name) >= 0
}

/** The same, with a name for what stands for all without one. */
export function named({ channels, grants }: Wants): Wants {
  return { channels: channels.length ? channels : [all], grants }
}

/** The other way round. */
export function unnamed({ channels, grants }: Wants): Wants {
  return { channels: channels.length > 1 || channels[0] !== all ? channels : [], grants }
}

/** Whether who asks for the first gets all of the second. Both are named. */
export function covers(wide: Wants, narrow: Wants): boolean {
  return (
    narrow.channels.every(name => has(wide.channels, name)) &&
    narrow.grants.every(grant => has(wide.grants, grant))
  )
}

/** What both ask for; the first alone, if one request cannot ask for as much. */
export function unite(one: Wants, other: Wants): Wants {
  const channels = one.channels.concat(other.channels.filter(name => !has(one.channels, name)))
  const grants = one.grants.concat(other.grants.filter(grant => !has(one.grants, grant)))
  const length = encodeURIComponent(channels.join('&channel=') + grants.join('&grant=')).length
  return grants.length > MOST_GRANTS || length > MOST_CHARACTERS ? one : { channels, grants }
}
