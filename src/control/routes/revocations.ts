import { Type } from 'typebox'
import { UidSchema } from '../../message.js'
import type { ControlApp, ControlOptions } from './options.js'

/** The longest hold, a day, in seconds: a kick is not a ban; that is for the CMS to keep. */
const maxHold = 86_400

/** Seconds for which a kicked user is refused when the call does not say. */
const defaultHold = 5

const Kick = Type.Object(
  {
    uid: UidSchema,
    hold: Type.Optional(Type.Number({ minimum: 0, maximum: maxHold })),
  },
  { additionalProperties: false },
)

const Logout = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 65_536 }) },
  { additionalProperties: false },
)

/** `POST /kick` and `POST /logout`. */
export function registerRevocations(app: ControlApp, { control }: ControlOptions): void {
  app.post('/kick', { schema: { body: Kick } }, async request => {
    const { uid, hold } = request.body
    await control.kick(String(uid), (hold ?? defaultHold) * 1_000)
    return {}
  })
  app.post('/logout', { schema: { body: Logout } }, async request => {
    await control.logout(request.body.token)
    return {}
  })
}
