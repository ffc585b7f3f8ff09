import { Type } from 'typebox'
import { errorAnswers } from '../../error-schema.js'
import { UidSchema } from '../../message.js'
import type { ControlApp, ControlOptions } from './options.js'

/** The longest hold, a day, in seconds: a kick is not a ban; that is for the CMS to keep. */
const maxHold = 86_400

/** Seconds for which a kicked user is refused when the call does not say. */
const defaultHold = 5

const closed = { additionalProperties: false }

const done = { 200: Type.Object({}, { ...closed, description: 'stored' }), ...errorAnswers }

const kick = {
  summary: "Close a user's connections, and refuse the user for a while",
  body: Type.Object(
    {
      uid: UidSchema,
      hold: Type.Optional(
        Type.Number({ minimum: 0, maximum: maxHold, default: defaultHold, description: 'seconds' }),
      ),
    },
    closed,
  ),
  response: done,
}

const logout = {
  summary: "Close a token's connections, and forget and refuse it",
  body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 65_536 }) }, closed),
  response: done,
}

/** `POST /kick` and `POST /logout`. */
export function registerRevocations(app: ControlApp, { control }: ControlOptions): void {
  app.post('/kick', { config: { operation: 'kick' }, schema: kick }, async request => {
    const { uid, hold } = request.body
    await control.kick(String(uid), (hold ?? defaultHold) * 1_000)
    return {}
  })
  app.post('/logout', { config: { operation: 'logout' }, schema: logout }, async request => {
    await control.logout(request.body.token)
    return {}
  })
}
