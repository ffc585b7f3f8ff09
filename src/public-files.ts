import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'

/** What the package serves; beside `src` and `dist`. */
const root = fileURLToPath(new URL('../public', import.meta.url))

const schema = {
  summary: 'The browser script',
  response: {
    200: { description: 'the script', content: { 'text/javascript': { schema: Type.String() } } },
  },
}

const scripts = ['downpipe.js', 'downpipe-html.js', 'downpipe.mjs', 'downpipe-core.mjs']

const contentType = 'text/javascript; charset=utf-8'

const headers = {
  'Cache-Control': 'public, max-age=3600',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
} as const

/**
 * The browser script, as a classic script and as a module, and its companion for HTML; compressed, if the browser takes that. Any
 * page may load them.
 */
export async function registerScript(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, cacheControl: false, preCompressed: true })
  // The plugin has the type that was the standard's before RFC 9239.
  const onSend = async (_request: FastifyRequest, reply: FastifyReply) => {
    reply.type(contentType)
  }
  for (const file of scripts) {
    app.get(`/${file}`, { schema, onSend }, (_request, reply) => reply.headers(headers).sendFile(file))
  }
}

/** The same in an app that may serve files of its own by the plugin that `registerScript` needs. */
export function registerBundledScript(app: FastifyInstance): void {
  for (const file of scripts) {
    app.get(`/${file}`, async (_request, reply) => {
      const text = await readFile(`${root}/${file}`)
      return reply
        .headers({ ...headers, 'Access-Control-Allow-Origin': '*' })
        .type(contentType)
        .send(text)
    })
  }
}
