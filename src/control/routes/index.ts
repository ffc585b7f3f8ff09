import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { registerFigures } from './figures.js'
import { registerListings } from './listings.js'
import { registerMemberships } from './memberships.js'
import type { ControlOptions } from './options.js'
import { registerPermission } from './permission.js'
import { registerPublish } from './publish.js'
import { registerRevocations } from './revocations.js'

/** The CMS's side, each call with a service key. */
export async function registerControl(plain: FastifyInstance, options: ControlOptions): Promise<void> {
  await plain.register(async scope => {
    const app = scope.withTypeProvider<TypeBoxTypeProvider>()
    registerPermission(app, options)
    registerPublish(app, options)
    registerRevocations(app, options)
    registerMemberships(app, options)
    registerListings(app, options)
    await registerFigures(app, options)
  })
}
