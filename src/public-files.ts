import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** What the package serves; beside `src` and `dist`. */
const root = fileURLToPath(new URL('../public', import.meta.url))

/** The browser script, as a classic script and as a module. Any page may load it. */
export async function registerScript(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, cacheControl: false })
  for (const file of ['downpipe.js', 'downpipe.mjs']) {
    app.get(`/${file}`, (_request, reply) =>
      reply
        .headers({
          'Cache-Control': 'public, max-age=3600',
          'Cross-Origin-Resource-Policy': 'cross-origin',
          'X-Content-Type-Options': 'nosniff',
        })
        .sendFile(file),
    )
  }
}
