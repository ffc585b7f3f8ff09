import { Type } from 'typebox'
import { UidSchema } from '../../message.js'
import type { ControlApp, ControlOptions } from './options.js'

const Refresh = Type.Object({ uid: UidSchema }, { additionalProperties: false })

const Membership = Type.Object({
  uid: Type.String({ minLength: 1, maxLength: 200 }),
  channel: Type.String({ minLength: 1 }),
})

/** `PUT` and `DELETE /users/:uid/channels/:channel`, and `POST /refresh`. */
export function registerMemberships(app: ControlApp, { control }: ControlOptions): void {
  app.put('/users/:uid/channels/:channel', { schema: { params: Membership } }, async request => {
    await control.setMembership(request.params.uid, request.params.channel, 'add')
    return {}
  })
  app.delete('/users/:uid/channels/:channel', { schema: { params: Membership } }, async request => {
    await control.setMembership(request.params.uid, request.params.channel, 'remove')
    return {}
  })
  app.post('/refresh', { schema: { body: Refresh } }, async request => {
    await control.refresh(String(request.body.uid))
    return {}
  })
}
