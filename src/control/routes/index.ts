import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { bearer } from '../../auth/service-key.js'
import { ServiceKeyRequired } from '../../errors.js'
import { registerFigures } from './figures.js'
import { registerMemberships } from './memberships.js'
import type { ControlOptions } from './options.js'
import { registerPublish } from './publish.js'
import { registerRevocations } from './revocations.js'

/** The CMS's side, each call with a service key. */
export async function registerControl(plain: FastifyInstance, options: ControlOptions): Promise<void> {
  const { serviceKeys } = options
  await plain.register(async scope => {
    const app = scope.withTypeProvider<TypeBoxTypeProvider>()
    app.addHook('onRequest', async request => {
      const key = bearer(request.headers.authorization)
      if (key === undefined || !serviceKeys.has(key)) throw new ServiceKeyRequired()
    })
    registerPublish(app, options)
    registerRevocations(app, options)
    registerMemberships(app, options)
    await registerFigures(app, options)
  })
}
