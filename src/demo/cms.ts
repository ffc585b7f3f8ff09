import { readFileSync } from 'node:fs'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { accountRoutes } from './account-routes.js'
import { articleRoutes } from './article-routes.js'
import { Articles } from './articles.js'
import type { Desk } from './desk.js'
import { errorPage } from './pages.js'
import { PushService } from './push-service.js'
import { Sessions } from './sessions.js'
import { users } from './users.js'
import { sendPage, viewOf, wantsJson } from './view.js'

/** The largest form taken, in bytes: an article's text of which each character takes twelve bytes, and its title. */
const MAX_FORM_BYTES = 128 * 1024

/** The files in `public/demo`, read once, so that no path from a request ever reaches the file system. */
const ASSETS: Readonly<Record<string, string>> = {
  'article.js': 'text/javascript; charset=utf-8',
  'front.js': 'text/javascript; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'favicon.svg': 'image/svg+xml',
}

/** What the demo CMS needs to know. */
export interface CmsOptions {
  /** What the CMS and the push service know each other by. */
  readonly serviceKey: string
  /** What is logged, to standard output. Default: `error`. */
  readonly logLevel?: 'error' | 'silent'
}

/** The demo CMS: its HTTP server, not yet listening, and its connection to the push service, not yet located. */
export interface Cms {
  readonly app: FastifyInstance
  readonly push: PushService
}

/** Builds the demo CMS, with two articles. */
export function buildCms(options: CmsOptions): Cms {
  const { serviceKey, logLevel = 'error' } = options
  const app = Fastify({
    logger: { level: logLevel },
    bodyLimit: MAX_FORM_BYTES,
    forceCloseConnections: true,
  }).withTypeProvider<TypeBoxTypeProvider>()
  const push = new PushService({ key: serviceKey, log: app.log })
  const desk = { articles: firstArticles(), sessions: new Sessions(), push, serviceKey }

  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, parseForm(String(body))),
  )
  app.addHook('onRequest', refuseForeignForms)
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) request.log.error({ err: error }, 'The demo CMS failed')
    const message = error.validation ? 'Something in this form is missing or too long.' : error.message
    return sendError(desk, request, reply, status, status === 500 ? 'Something went wrong here.' : message)
  })
  app.setNotFoundHandler((request, reply) => sendError(desk, request, reply, 404, 'There is no such page.'))

  for (const [name, type] of Object.entries(ASSETS)) {
    const content = readFileSync(new URL(`../../public/demo/${name}`, import.meta.url))
    app.get(`/demo/${name}`, (_request, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(content),
    )
  }
  app.register(articleRoutes, desk)
  app.register(accountRoutes, desk)
  return { app, push }
}

function sendError(
  desk: Desk,
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  message: string,
): FastifyReply {
  reply.code(status)
  if (wantsJson(request)) return reply.send({ message })
  return sendPage(desk, reply, errorPage(viewOf(desk, request, '/'), message))
}

/** A form on somebody else's page must not act in the name of a user who is logged in here. */
async function refuseForeignForms(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { origin, host } = request.headers
  if (request.method !== 'POST' || origin === undefined || origin.endsWith(`//${host}`)) return undefined
  return reply.code(403).send({ message: 'This form is not from here.' })
}

/** Browsers send a line break in a text as CR LF when they submit a form, and as LF when a script does. */
function parseForm(body: string): Record<string, string> {
  const fields = [...new URLSearchParams(body)]
  return Object.fromEntries(fields.map(([name, value]) => [name, value.replaceAll('\r\n', '\n')]))
}

function firstArticles(): Articles {
  const articles = new Articles()
  const [ada, bert] = users
  if (ada) articles.add(ada, 'Rain expected on Thursday', RAIN)
  if (bert) articles.add(bert, 'In praise of the humble downpipe', DOWNPIPE)
  return articles
}

const RAIN = `The weather office expects rain from the west on Thursday, first light, then steady, then “the kind that one hears”.

Householders are advised to clear their gutters today. Leaves are the usual culprits, tennis balls a close second.

This text changes live: edit it in one window and watch the other.`

const DOWNPIPE = `A downpipe does one thing: what arrives at the top comes out at the bottom, at once, in order, and nothing ever flows back up.

It holds no opinion about the rain. It asks nobody where the water should go. When it does its work well, one forgets that it is there.

One could do worse.`
