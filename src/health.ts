import type { FastifyInstance } from 'fastify'

/** `GET /healthz`: the process answers. `GET /readyz`: it takes subscribers, of all its sites; 503 while it loads or goes away. */
export function registerHealth(
  app: FastifyInstance,
  sites: readonly { readonly isServing: boolean }[],
): void {
  app.get('/healthz', async (_request, reply) =>
    reply.header('Cache-Control', 'no-store').send({ status: 'ok' }),
  )
  app.get('/readyz', async (_request, reply) => {
    const isServing = sites.every(site => site.isServing)
    return reply
      .code(isServing ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .send({ status: isServing ? 'ready' : 'not ready' })
  })
}
