import { type Static, Type } from 'typebox'
import { maxWordLength } from '../message.js'

/** Rows of a page when the call does not say. */
const defaultLimit = 100

/** Rows of a page, at most. Stops one call from writing everybody into one answer, in memory. */
const maxLimit = 1_000

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: maxLimit, default: defaultLimit, description: 'rows of this page' }),
)
const after = Type.Optional(Type.String({ description: '`next` of the page before' }))
const prefix = Type.Optional(Type.String({ description: 'only names that begin with it' }))
const uid = Type.Optional(
  Type.String({ minLength: 1, maxLength: maxWordLength, description: 'only this user' }),
)
const channel = Type.Optional(
  Type.String({ minLength: 1, description: 'only those who listen on this channel' }),
)

const closed = { additionalProperties: false }

/** The query of `GET /users`. */
export const UsersQuery = Type.Object({ limit, after, prefix, uid, channel }, closed)
/** The query of `GET /channels`. */
export const ChannelsQuery = Type.Object({ limit, after, prefix }, closed)
/** The query of `GET /connections`. */
export const ConnectionsQuery = Type.Object({ limit, after, uid, channel }, closed)
/** The query of what lists the connections of one user or one channel. */
export const PageQuery = Type.Object({ limit, after }, closed)

/** Which nodes a listing was gathered from. */
const nodes = Type.Object(
  { asked: Type.Integer({ minimum: 1 }), answered: Type.Integer({ minimum: 0 }) },
  { ...closed, description: 'how many nodes were asked, and how many answered in time' },
)
const next = Type.Union([Type.String(), Type.Null()], {
  description: 'to be given as `after` for the next page; null: there is none',
})
const count = Type.Integer({ minimum: 0 })
const behind = Type.Integer({
  minimum: 0,
  description:
    'entries of the log, of whatever channel, after the place up to which it was handed everything',
})
const since = Type.Integer({
  description: 'Unix time in ms at which the stream, or the poll that waits, began',
})
const names = Type.Array(Type.String(), { description: 'channels' })

/** One open stream or waiting poll. */
export const Connection = Type.Object(
  {
    id: Type.String({ description: 'names the connection on its node' }),
    uid: Type.Union([Type.String(), Type.Null()], { description: 'null: an anonymous reader, or a service' }),
    transport: Type.Union([Type.Literal('sse'), Type.Literal('poll')]),
    since,
    channels: names,
    behind,
    queuedBytes: Type.Integer({ minimum: 0, description: 'bytes that wait for it here' }),
    state: Type.Union([Type.Literal('live'), Type.Literal('catching-up'), Type.Literal('waiting')], {
      description: 'waiting: its cursor is ahead of this node',
    }),
  },
  closed,
)

/** One user, as a row. */
const UserRow = Type.Object(
  { uid: Type.String(), connections: count, since, channels: count, behind },
  closed,
)

/** One channel, as a row. */
const ChannelRow = Type.Object({ channel: Type.String(), subscribers: count }, closed)

/** The answer of `GET /users`. */
export const Users = Type.Object({ users: Type.Array(UserRow), next, nodes }, closed)
/** The answer of `GET /users/:uid`. */
export const User = Type.Object(
  {
    uid: Type.String(),
    online: Type.Boolean({ description: 'whether there is a connection now' }),
    since: Type.Union([since, Type.Null()]),
    behind,
    channels: names,
    added: Type.Array(Type.String(), { description: 'channels that were added by a membership' }),
    connections: Type.Array(Connection),
    next,
    nodes,
  },
  closed,
)
/** The answer of `GET /channels`. */
export const Channels = Type.Object({ channels: Type.Array(ChannelRow), next, nodes }, closed)
/** The answer of `GET /channels/:channel`. */
export const Channel = Type.Object(
  { channel: Type.String(), subscribers: count, connections: Type.Array(Connection), next, nodes },
  closed,
)
/** The answer of `GET /connections`. */
export const Connections = Type.Object({ connections: Type.Array(Connection), next, nodes }, closed)

/** Where a page begins and how long it is. */
export interface PageAsk {
  /** Rows; default 100. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** How many rows the page has. */
export function limitOf({ limit = defaultLimit }: PageAsk): number {
  return limit
}

/** What is asked of the listing of users. */
export type UsersAsk = Readonly<Static<typeof UsersQuery>>
/** What is asked of the listing of channels. */
export type ChannelsAsk = Readonly<Static<typeof ChannelsQuery>>
/** What is asked of the listing of connections. */
export type ConnectionsAsk = Readonly<Static<typeof ConnectionsQuery>>
