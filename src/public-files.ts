import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'

/** What the package serves; beside `src` and `dist`. */
const root = fileURLToPath(new URL('../public', import.meta.url))

const schema = {
  summary: 'The browser script',
  response: {
    200: { description: 'the script', content: { 'text/javascript': { schema: Type.String() } } },
  },
}

/** The browser script, as a classic script and as a module. Any page may load it. */
export async function registerScript(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, cacheControl: false })
  for (const file of ['downpipe.js', 'downpipe.mjs']) {
    app.get(`/${file}`, { schema }, (_request, reply) =>
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
