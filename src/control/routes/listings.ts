import { Type } from 'typebox'
import { errorAnswers } from '../../error-schema.js'
import { maxWordLength } from '../../message.js'
import {
  Channel,
  Channels,
  ChannelsQuery,
  Connections,
  ConnectionsQuery,
  PageQuery,
  User,
  Users,
  UsersQuery,
} from '../listing-schemas.js'
import type { ControlApp, ControlOptions } from './options.js'
import { rightsOf } from './permission.js'

const listed = { config: { operation: 'list' } } as const

const UserParams = Type.Object({ uid: Type.String({ minLength: 1, maxLength: maxWordLength }) })
const ChannelParams = Type.Object({ channel: Type.String({ minLength: 1 }) })

const users = {
  summary: 'Users with a connection',
  querystring: UsersQuery,
  response: { 200: Users, ...errorAnswers },
}
const user = {
  summary: 'One user, with the connections',
  params: UserParams,
  querystring: PageQuery,
  response: { 200: User, ...errorAnswers },
}
const channels = {
  summary: 'Channels that somebody listens on',
  querystring: ChannelsQuery,
  response: { 200: Channels, ...errorAnswers },
}
const channel = {
  summary: 'One channel, with the connections that listen on it',
  params: ChannelParams,
  querystring: PageQuery,
  response: { 200: Channel, ...errorAnswers },
}
const connections = {
  summary: 'Open streams and waiting polls',
  querystring: ConnectionsQuery,
  response: { 200: Connections, ...errorAnswers },
}

/** `GET /users`, `/users/:uid`, `/channels`, `/channels/:channel` and `/connections`. */
export function registerListings(app: ControlApp, { control: { listings } }: ControlOptions): void {
  app.get('/users', { ...listed, schema: users }, async request =>
    listings.users(request.query, rightsOf(request)),
  )
  app.get('/users/:uid', { ...listed, schema: user }, async request =>
    listings.user(request.params.uid, request.query, rightsOf(request)),
  )
  app.get('/channels', { ...listed, schema: channels }, async request =>
    listings.channels(request.query, rightsOf(request)),
  )
  app.get('/channels/:channel', { ...listed, schema: channel }, async request =>
    listings.channel(request.params.channel, request.query, rightsOf(request)),
  )
  app.get('/connections', { ...listed, schema: connections }, async request =>
    listings.connections(request.query, rightsOf(request)),
  )
}
