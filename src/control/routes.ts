import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { bearer, type ServiceKeys } from '../auth/service-key.js'
import type { Clock } from '../clock.js'
import { formatCursor } from '../cursor.js'
import { ServiceKeyRequired } from '../errors.js'
import { UidSchema } from '../message.js'
import type { Control } from './control.js'
import { registerStatsStream } from './stats-stream.js'

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

const Refresh = Type.Object({ uid: UidSchema }, { additionalProperties: false })

const Membership = Type.Object({ uid: Type.String({ minLength: 1, maxLength: 200 }), channel: Type.String() })

const Logout = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 65_536 }) },
  { additionalProperties: false },
)

/** What the control routes need. */
export interface ControlRoutes {
  readonly control: Control
  readonly serviceKeys: ServiceKeys
  readonly clock: Clock
  /** Aborted when the server goes away: ends what would go on for ever. */
  readonly closing: AbortSignal
}

/** The CMS's side, each call with a service key. */
export async function registerControl(plain: FastifyInstance, options: ControlRoutes): Promise<void> {
  const { control, serviceKeys } = options
  await plain.register(async scope => {
    const app = scope.withTypeProvider<TypeBoxTypeProvider>()
    app.addHook('onRequest', async request => {
      const key = bearer(request.headers.authorization)
      if (key === undefined || !serviceKeys.has(key)) throw new ServiceKeyRequired()
    })
    app.post('/publish', async request => {
      const ids = await control.publish(request.body)
      return Array.isArray(request.body) ? { ids } : { id: ids[0] }
    })
    app.get('/cursor', async () => ({ cursor: formatCursor(control.cursor()) }))
    app.post<{ Body: Static<typeof Kick> }>('/kick', { schema: { body: Kick } }, async request => {
      const { uid, hold } = request.body
      await control.kick(String(uid), (hold ?? defaultHold) * 1_000)
      return {}
    })
    app.post<{ Body: Static<typeof Logout> }>('/logout', { schema: { body: Logout } }, async request => {
      await control.logout(request.body.token)
      return {}
    })
    app.post<{ Body: Static<typeof Refresh> }>('/refresh', { schema: { body: Refresh } }, async request => {
      await control.refresh(String(request.body.uid))
      return {}
    })
    for (const [method, change] of [
      ['PUT', 'add'],
      ['DELETE', 'remove'],
    ] as const) {
      app.route<{ Params: Static<typeof Membership> }>({
        method,
        url: '/users/:uid/channels/:channel',
        schema: { params: Membership },
        handler: async request => {
          await control.setMembership(request.params.uid, request.params.channel, change)
          return {}
        },
      })
    }
    app.get('/stats', async () => control.stats())
    await registerStatsStream(app, options)
  })
}
