import { Type } from 'typebox'
import { errorAnswers } from '../error-schema.js'

const parameters = {
  token: Type.Optional(
    Type.String({ description: 'who comes; or in the Authorization header, or a cookie' }),
  ),
  channel: Type.Optional(
    Type.Array(Type.String(), {
      description: 'listen on these; repeatable; without it: all that the identity names',
    }),
  ),
  grant: Type.Optional(Type.Array(Type.String(), { description: 'signed permissions; repeatable' })),
  since: Type.Optional(Type.String({ description: 'go on from here: a cursor, or a Unix time in ms' })),
}

const headers = Type.Object({
  'last-event-id': Type.Optional(Type.String({ description: 'a cursor; wins over `since`' })),
})

const security = [{ token: [] }, {}]

/** What describes `GET /stream`; it is read by the handshake itself. */
export const streamSchema = {
  summary: 'The stream, as Server-Sent Events',
  security,
  querystring: Type.Object(parameters),
  headers,
  response: {
    200: {
      description: 'Server-Sent Events: `ready`, messages, `heartbeat`, `gap`, `close`',
      content: { 'text/event-stream': { schema: Type.String() } },
    },
    ...errorAnswers,
  },
}

const Ready = Type.Object({
  uid: Type.Union([Type.String(), Type.Null()]),
  channels: Type.Array(Type.String()),
  heartbeat: Type.Number({ description: 'seconds' }),
  v: Type.String(),
  presence: Type.Array(Type.String()),
  refused: Type.Array(Type.Object({ grant: Type.Integer(), reason: Type.String() })),
  info: Type.Optional(Type.Unknown()),
})

const Message = Type.Object({
  id: Type.Optional(Type.String({ description: 'missing of what is not in the log' })),
  channel: Type.Optional(Type.String()),
  channels: Type.Optional(Type.Array(Type.String())),
  data: Type.Unknown(),
  callback: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  type: Type.Optional(Type.String()),
  except: Type.Optional(Type.String()),
})

const Gap = Type.Object({
  since: Type.Union([Type.String(), Type.Null()]),
  cursor: Type.String(),
  reason: Type.String(),
  spreadMs: Type.Number(),
  initial: Type.Boolean(),
})

const Close = Type.Object({ reason: Type.String(), reconnect: Type.Boolean(), retryMs: Type.Number() })

/** What describes `GET /poll`; it is read by the handshake itself. */
export const pollSchema = {
  summary: 'The long-poll',
  security,
  querystring: Type.Object({
    ...parameters,
    wait: Type.Optional(Type.Number({ minimum: 0, description: 'seconds to wait; 0: answer now' })),
    v: Type.Optional(Type.String({ description: 'the `v` of the `ready` that the client has' })),
  }),
  headers,
  response: {
    200: Type.Object({
      cursor: Type.Union([Type.String(), Type.Null()]),
      messages: Type.Array(Message),
      ready: Type.Optional(Ready),
      gap: Type.Optional(Gap),
      close: Type.Optional(Close),
    }),
    ...errorAnswers,
  },
}
