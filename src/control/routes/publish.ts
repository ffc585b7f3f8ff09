import { Type } from 'typebox'
import { formatCursor } from '../../cursor.js'
import { errorAnswers } from '../../error-schema.js'
import { MessageSchema } from '../../message.js'
import { ownParsing } from '../../own-parsing.js'
import type { ControlApp, ControlOptions } from './options.js'
import { rightsOf } from './permission.js'

const closed = { additionalProperties: false }

const publish = {
  summary: 'Publish a message, or an array of them',
  body: Type.Union([MessageSchema, Type.Array(MessageSchema, { minItems: 1 })]),
  response: {
    200: Type.Union([
      Type.Object({ id: Type.String() }, closed),
      Type.Object({ ids: Type.Array(Type.String()) }, closed),
    ]),
    ...errorAnswers,
  },
}

const cursor = {
  summary: 'The newest place of the log',
  response: { 200: Type.Object({ cursor: Type.String() }, closed), ...errorAnswers },
}

/** `POST /publish`, and `GET /cursor`: the place from which a page goes on. */
export function registerPublish(app: ControlApp, { control }: ControlOptions): void {
  // The body is read by `parseMessages`, whose errors name the message and the field.
  const mayPublish = { config: { operation: 'publish' }, schema: publish, ...ownParsing } as const
  app.post('/publish', mayPublish, async request => {
    const ids = await control.publish(request.body, rightsOf(request))
    return Array.isArray(request.body) ? { ids: [...ids] } : { id: ids[0] ?? '' }
  })
  app.get('/cursor', { config: { operation: 'read' }, schema: cursor }, async () => ({
    cursor: formatCursor(control.cursor()),
  }))
}
