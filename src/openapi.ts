import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { packageVersion } from './package-version.js'

const info = {
  title: 'Downpipe',
  version: packageVersion(),
  description: 'One-way push for sites that a CMS renders. What the fields mean in full is in docs/http.md.',
  license: { name: 'MIT', identifier: 'MIT' },
}

const securitySchemes = {
  serviceKey: { type: 'http', scheme: 'bearer', description: 'A service key.' },
  token: { type: 'http', scheme: 'bearer', description: "A visitor's token, or a service key." },
} as const

/** Writes down every route of `app` that is registered after this, from its schemas. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info, components: { securitySchemes } },
    convertConstToEnum: false,
  })
}

/** Leaves the routes of this part out: they are those of another one, under another prefix. */
export function hideRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    route.schema = { ...route.schema, hide: true }
  })
}

/** `GET /openapi.json`: what `describeRoutes` wrote down on all `sides`. Anybody may read it. */
export function registerOpenApi(app: FastifyInstance, sides: readonly FastifyInstance[]): void {
  const schema = {
    summary: 'This description of the API, as OpenAPI 3.1',
    response: { 200: Type.Object({ openapi: Type.String() }, { description: 'OpenAPI' }) },
  }
  app.get('/openapi.json', { schema }, async () => {
    const paths: Record<string, unknown> = {}
    for (const side of sides) Object.assign(paths, side.swagger().paths)
    return { ...app.swagger(), openapi: '3.1.0', paths }
  })
}
