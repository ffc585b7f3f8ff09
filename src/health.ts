import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'

const Status = (description: string, ...words: readonly string[]) =>
  Type.Object(
    { status: Type.Union(words.map(word => Type.Literal(word))) },
    { additionalProperties: false, description },
  )

/** `GET /healthz`: the process answers. `GET /readyz`: it takes subscribers; 503 while it loads or goes away. */
export function registerHealth(app: FastifyInstance, site: { readonly isServing: boolean }): void {
  const healthz = {
    summary: 'Whether the process answers',
    response: { 200: Status('it does', 'ok') },
  }
  app.get('/healthz', { schema: healthz }, async (_request, reply) =>
    reply.header('Cache-Control', 'no-store').send({ status: 'ok' }),
  )
  const readyz = {
    summary: 'Whether it takes subscribers',
    response: {
      200: Status('it does', 'ready'),
      503: Status('it loads, or goes away', 'not ready'),
    },
  }
  app.get('/readyz', { schema: readyz }, async (_request, reply) => {
    const { isServing } = site
    return reply
      .code(isServing ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .send({ status: isServing ? 'ready' : 'not ready' })
  })
}
