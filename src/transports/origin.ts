import cors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OriginForbidden } from '../errors.js'

/** Pages of which origins may connect. */
export interface OriginRules {
  /** Origins as browsers send them, or `*` for any (then without credentials). */
  readonly allowOrigins: readonly string[]
  /** Whether any page of this machine (`localhost`, `127.0.0.1`, `[::1]`, a file) may connect, for development. */
  readonly allowLocalOrigins: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The rules of the site whose route it is. */
    originRules?: OriginRules
  }
}

/**
 * CORS on every answer, errors included, and a check of our own before any work: an `Origin` that is neither allowed, nor our
 * own host, nor said to be same-origin by the browser is refused.
 *
 * A route that belongs to a site has the site's rules in its `config.originRules`. `rulesAt` says which hold for an address
 * without such a route: what is nowhere, and preflights, which all go to one route.
 */
export async function registerOrigin(
  app: FastifyInstance,
  rulesAt: (url: string) => OriginRules,
): Promise<void> {
  const rulesFor = (request: FastifyRequest) =>
    request.routeOptions.config.originRules ?? rulesAt(request.url)
  await registerCors(app, rulesFor)
  app.addHook('onRequest', async request => {
    const { origin } = request.headers
    if (origin === undefined) return
    const rules = rulesFor(request)
    if (rules.allowOrigins.includes('*') || isNamed(origin, rules) || isOwn(request, origin)) return
    throw new OriginForbidden()
  })
}

/**
 * Whether the visitor's cookies count in the request: one of our own pages, of a named origin, or of no page. An origin that only `*`
 * lets in could not read the answer, but would act in the visitor's name.
 */
export function mayBringCookies(request: FastifyRequest): boolean {
  const { origin } = request.headers
  if (origin === undefined || isOwn(request, origin)) return true
  const rules = request.routeOptions.config.originRules
  return rules !== undefined && isNamed(origin, rules)
}

async function registerCors(
  app: FastifyInstance,
  rulesFor: (request: FastifyRequest) => OriginRules,
): Promise<void> {
  // An app that embeds the service may have the plugin itself: then it answers preflights and sets the headers, here as well.
  if (app.hasRequestDecorator('corsPreflightEnabled')) return
  await app.register(cors, {
    hook: 'onRequest',
    delegator: (request, callback) => {
      const { origin } = request.headers
      const rules = rulesFor(request)
      const isByName = origin !== undefined && isNamed(origin, rules)
      const isAllowed = origin !== undefined && (isByName || rules.allowOrigins.includes('*'))
      callback(null, {
        origin: isAllowed ? (isByName ? origin : '*') : false,
        // A wildcard never comes with credentials; only a named origin may use the visitor's cookies.
        credentials: isByName,
        methods: ['GET', 'POST', 'PUT', 'DELETE'],
        exposedHeaders: ['Retry-After'],
        maxAge: 86_400,
        strictPreflight: false,
      })
    },
  })
}

function isNamed(origin: string, { allowOrigins, allowLocalOrigins }: OriginRules): boolean {
  return allowOrigins.includes(origin) || (allowLocalOrigins && isLocal(origin))
}

function isOwn(request: FastifyRequest, origin: string): boolean {
  if (request.headers['sec-fetch-site'] === 'same-origin') return true
  return URL.canParse(origin) && new URL(origin).host === request.host
}

function isLocal(origin: string): boolean {
  // A page opened from a file has the origin "null".
  if (origin === 'null') return true
  if (!URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '127.0.0.1' ||
    hostname === '[::1]'
  )
}
