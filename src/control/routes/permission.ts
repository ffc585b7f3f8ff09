import type { FastifyRequest } from 'fastify'
import type { KeyRights, Operation } from '../../auth/key-rights.js'
import { bearer } from '../../auth/service-key.js'
import type { ControlApp, ControlOptions } from './options.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a service key must allow for this route. */
    operation?: Operation
  }
}

const rights = new WeakMap<FastifyRequest, KeyRights>()

/**
 * The one place where service keys are looked at: before any work of any route of `app`, of which each must name its operation.
 * The OpenAPI page learns from here that the route needs a key.
 */
export function registerPermission(app: ControlApp, { serviceKeys }: ControlOptions): void {
  app.addHook('onRoute', route => {
    const { operation } = route.config ?? {}
    if (operation === undefined) throw new Error(`the route ${route.url} names no operation`)
    route.schema = { ...route.schema, security: [{ serviceKey: [] }] }
  })
  app.addHook('onRequest', async request => {
    const { operation } = request.routeOptions.config
    if (operation === undefined) throw new Error('the route names no operation')
    rights.set(request, serviceKeys.permit(bearer(request.headers.authorization), operation))
  })
}

/** What the key of the request may do. @throws when the request is not of a route behind `registerPermission`. */
export function rightsOf(request: FastifyRequest): KeyRights {
  const found = rights.get(request)
  if (found === undefined) throw new Error('no service key was looked at')
  return found
}
