import { Type } from 'typebox'
import { errorAnswers } from '../../error-schema.js'
import { maxWordLength, UidSchema } from '../../message.js'
import type { ControlApp, ControlOptions } from './options.js'
import { rightsOf } from './permission.js'

const closed = { additionalProperties: false }

const params = Type.Object({
  uid: Type.String({ minLength: 1, maxLength: maxWordLength }),
  channel: Type.String({ minLength: 1 }),
})
const response = { 200: Type.Object({}, { ...closed, description: 'stored' }), ...errorAnswers }

const add = { summary: "Add a channel for a user's connections, present and future", params, response }
const remove = { summary: 'Take a channel away from a user', params, response }
const refresh = {
  summary: 'Ask the CMS anew about a user, and apply the difference',
  body: Type.Object({ uid: UidSchema }, closed),
  response,
}

/** `PUT` and `DELETE /users/:uid/channels/:channel`, and `POST /refresh`. */
export function registerMemberships(app: ControlApp, { control }: ControlOptions): void {
  const url = '/users/:uid/channels/:channel'
  const config = { operation: 'memberships' } as const
  app.put(url, { config, schema: add }, async request => {
    const { uid, channel } = request.params
    await control.setMembership(uid, channel, 'add', rightsOf(request))
    return {}
  })
  app.delete(url, { config, schema: remove }, async request => {
    const { uid, channel } = request.params
    await control.setMembership(uid, channel, 'remove', rightsOf(request))
    return {}
  })
  app.post('/refresh', { config: { operation: 'refresh' }, schema: refresh }, async request => {
    await control.refresh(String(request.body.uid))
    return {}
  })
}
