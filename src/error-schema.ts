import { Type } from 'typebox'

/** The body of an error's answer, as `ErrorBody` types it. */
export const ErrorSchema = Type.Object(
  {
    statusCode: Type.Integer(),
    code: Type.String({ pattern: '^DOWNPIPE_' }),
    error: Type.String(),
    message: Type.String(),
    channel: Type.Optional(Type.String({ description: 'the channel that is not allowed' })),
    index: Type.Optional(
      Type.Integer({ minimum: 0, description: 'which message of the call it is about, counted from 0' }),
    ),
    retryAfter: Type.Optional(Type.Integer({ description: 'seconds after which to try again' })),
  },
  { additionalProperties: false, description: 'an error of the one table' },
)

/** The answers of every route that may refuse. */
export const errorAnswers = { '4xx': ErrorSchema, '5xx': ErrorSchema }
