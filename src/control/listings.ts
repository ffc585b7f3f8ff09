import type { Static } from 'typebox'
import { allRights, type KeyRights } from '../auth/key-rights.js'
import type { Memberships } from '../auth/memberships.js'
import type { Roster } from '../hub/roster.js'
import type { Subscriber } from '../hub/subscriber.js'
import { channelOf, routingKey } from '../message.js'
import {
  type Channel,
  type Channels,
  type ChannelsAsk,
  type Connection,
  type Connections,
  type ConnectionsAsk,
  limitOf,
  type PageAsk,
  type User,
  type Users,
  type UsersAsk,
} from './listing-schemas.js'
import { Page } from './page.js'
import { numberPlace, textPlace, writePlace } from './place.js'

/** The one node that there is. */
const nodes = { asked: 1, answered: 1 }

/** What a page of connections adds to an answer. */
type ConnectionsPart = Static<typeof Connections>

/**
 * Who is connected, and on what: users with an open stream or a waiting poll, channels with a subscriber. Tells nothing of tokens.
 *
 * `rights`: a key for certain channels is shown these, and the connections that listen on one of them.
 */
export class Listings {
  readonly #roster: Roster
  readonly #memberships: Memberships

  constructor(roster: Roster, memberships: Memberships) {
    this.#roster = roster
    this.#memberships = memberships
  }

  /** Users, in the order of their uids. @throws InvalidRequest, KeyRestricted */
  users(ask: UsersAsk, rights: KeyRights = allRights): Static<typeof Users> {
    const page = new Page<string, string>(limitOf(ask), textPlace('users', ask.after))
    this.#forEach(ask, rights, ({ uid }) => {
      if (uid?.startsWith(ask.prefix ?? '')) page.offer(uid, uid)
    })
    const { items, next } = page.take()
    const users = items.map(uid => {
      const { channels, ...summary } = this.#summary(uid, rights)
      return { uid, ...summary, channels: channels.length }
    })
    return { users, next: nextOf('users', next), nodes }
  }

  /** One user; without a connection: not online, with empty lists. @throws InvalidRequest */
  user(uid: string, ask: PageAsk, rights: KeyRights = allRights): Static<typeof User> {
    const { since, behind, channels, connections } = this.#summary(uid, rights)
    const online = connections > 0
    const page = this.connections({ ...ask, uid }, rights)
    const added = this.#memberships.of(uid).added.filter(channel => rights.allowsChannel(channel))
    return { uid, online, since: online ? since : null, behind, channels, added, ...page }
  }

  /** Channels that somebody listens on, in the order of their names. @throws InvalidRequest */
  channels(ask: ChannelsAsk, rights: KeyRights = allRights): Static<typeof Channels> {
    const page = new Page<string, string>(limitOf(ask), textPlace('channels', ask.after))
    for (const key of this.#roster.keys()) {
      const channel = channelOf(key)
      if (channel?.startsWith(ask.prefix ?? '') && rights.allowsChannel(channel)) page.offer(channel, channel)
    }
    const { items, next } = page.take()
    const channels = items.map(channel => ({ channel, subscribers: this.#subscribers(channel) }))
    return { channels, next: nextOf('channels', next), nodes }
  }

  /** One channel, and who listens on it. @throws InvalidRequest, KeyRestricted */
  channel(channel: string, ask: PageAsk, rights: KeyRights = allRights): Static<typeof Channel> {
    const page = this.connections({ ...ask, channel }, rights)
    return { channel, subscribers: this.#subscribers(channel), ...page }
  }

  /** Connections, in the order in which they came. @throws InvalidRequest, KeyRestricted */
  connections(ask: ConnectionsAsk, rights: KeyRights = allRights): ConnectionsPart {
    const page = new Page<number, Subscriber>(limitOf(ask), numberPlace('connections', ask.after))
    this.#forEach(ask, rights, subscriber => page.offer(subscriber.id, subscriber))
    const { items, next } = page.take()
    const connections = items.map(subscriber => this.#row(subscriber, rights))
    return { connections, next: nextOf('connections', next), nodes }
  }

  /** Visits the connections that are asked for and may be seen. @throws KeyRestricted */
  #forEach(
    { uid, channel }: Pick<ConnectionsAsk, 'uid' | 'channel'>,
    rights: KeyRights,
    visit: (subscriber: Subscriber) => void,
  ): void {
    if (channel !== undefined) rights.checkChannel('list', channel)
    const onChannel = channel === undefined ? undefined : routingKey.channel(channel)
    const key = uid === undefined ? (onChannel ?? routingKey.broadcast) : routingKey.uid(uid)
    this.#roster.forEach(key, subscriber => {
      const isOn = onChannel === undefined || key === onChannel || subscriber.keys.includes(onChannel)
      if (isOn && isSeen(subscriber, rights)) visit(subscriber)
    })
  }

  #subscribers(channel: string): number {
    return this.#roster.count(routingKey.channel(channel))
  }

  #summary(uid: string, rights: KeyRights) {
    let connections = 0
    let since = Number.POSITIVE_INFINITY
    let behind = 0
    const channels = new Set<string>()
    this.#forEach({ uid }, rights, subscriber => {
      const standing = this.#roster.standing(subscriber)
      connections += 1
      since = Math.min(since, standing.sinceMs)
      behind = Math.max(behind, standing.behind)
      for (const channel of channelsOf(subscriber, rights)) channels.add(channel)
    })
    return { connections, since, channels: [...channels], behind }
  }

  #row(subscriber: Subscriber, rights: KeyRights): Static<typeof Connection> {
    const { sinceMs, behind, queuedBytes, state } = this.#roster.standing(subscriber)
    return {
      id: String(subscriber.id),
      uid: subscriber.uid,
      transport: subscriber.sink.transport,
      since: sinceMs,
      channels: [...channelsOf(subscriber, rights)],
      behind,
      queuedBytes,
      state,
    }
  }
}

/** The channels that it listens on, as far as they may be seen. */
function channelsOf({ keys }: Subscriber, rights: KeyRights): readonly string[] {
  const channels: string[] = []
  for (const key of keys) {
    const channel = channelOf(key)
    if (channel !== undefined && rights.allowsChannel(channel)) channels.push(channel)
  }
  return channels
}

function isSeen(subscriber: Subscriber, rights: KeyRights): boolean {
  return rights.channels === undefined || channelsOf(subscriber, rights).length > 0
}

function nextOf(listing: string, place: string | number | undefined): string | null {
  return place === undefined ? null : writePlace(listing, place)
}
