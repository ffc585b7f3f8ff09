import type { IncomingHttpHeaders } from 'node:http'
import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OriginForbidden } from '../errors.js'

/** Pages of which origins may connect. */
export interface OriginRules {
  /** Origins as browsers send them, or `*` for any (then without credentials). */
  readonly allowOrigins: readonly string[]
  /** Whether any page of this machine (`localhost`, `127.0.0.1`, `[::1]`, a file) may connect, for development. */
  readonly allowLocalOrigins: boolean
}

/** What of a request says whose page it is from, and which host it is to. Fastify's request is one. */
export interface PageRequest {
  readonly headers: IncomingHttpHeaders
  /** The host that the browser asked, with its port where it named one; of a trusted proxy, what that says. */
  readonly host: string
}

/** What scripts of other origins may read beside the body. */
const exposedHeaders = 'Retry-After'

/** What any answer has: it may be another one for another origin. */
const forNoOrigin = { Vary: 'Origin' } as const

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
  // An app that embeds the service may have the plugin itself: then it answers preflights and sets the headers, here as well.
  const isOurs = !app.hasRequestDecorator('corsPreflightEnabled')
  app.addHook('onRequest', (request, reply, done) => {
    const rules = rulesFor(request)
    if (isOurs) reply.headers({ ...corsHeaders(request, rules), Vary: varyOf(reply) })
    checkOrigin(request, rules)
    done()
  })
  // In a scope of its own it sees preflights only: for all others its reading of options for each request is a tenth of a poll.
  if (isOurs) await app.register(async scope => registerPreflights(scope, rulesFor))
}

/** What an answer depends on: the origin, and what an app that embeds the service has said. */
function varyOf(reply: FastifyReply): string {
  const said = reply.getHeader('Vary')
  if (said === undefined) return forNoOrigin.Vary
  const names = [said].flat().join(', ')
  return /(?:^|,)\s*(?:\*|origin)\s*(?:,|$)/i.test(names) ? names : `${names}, ${forNoOrigin.Vary}`
}

/** Refuses an `Origin` that is neither allowed, nor our own host, nor said to be same-origin by the browser. @throws OriginForbidden */
export function checkOrigin(request: PageRequest, rules: OriginRules): void {
  const { origin } = request.headers
  if (origin === undefined || rules.allowOrigins.includes('*')) return
  if (!isNamed(origin, rules) && !isOwn(request, origin)) throw new OriginForbidden()
}

/** The headers of CORS for an answer to anything but a preflight. */
export function corsHeaders({ headers }: PageRequest, rules: OriginRules): Readonly<Record<string, string>> {
  const { origin, credentials } = grantTo(headers.origin, rules)
  if (origin === false) return forNoOrigin
  return {
    ...forNoOrigin,
    'Access-Control-Allow-Origin': origin,
    ...(credentials && { 'Access-Control-Allow-Credentials': 'true' }),
    'Access-Control-Expose-Headers': exposedHeaders,
  }
}

/**
 * Whether the visitor's cookies count in the request: one of our own pages, of a named origin, or of no page. An origin that only `*`
 * lets in could not read the answer, but would act in the visitor's name.
 */
export function mayBringCookies(request: PageRequest, rules: OriginRules): boolean {
  const { origin } = request.headers
  return origin === undefined || isOwn(request, origin) || isNamed(origin, rules)
}

async function registerPreflights(
  scope: FastifyInstance,
  rulesFor: (request: FastifyRequest) => OriginRules,
): Promise<void> {
  await scope.register(cors, {
    hook: 'onRequest',
    delegator: (request, callback) => {
      callback(null, {
        ...grantTo(request.headers.origin, rulesFor(request)),
        methods: ['GET', 'POST', 'PUT', 'DELETE'],
        exposedHeaders,
        maxAge: 86_400,
        strictPreflight: false,
      })
    },
  })
}

/** What CORS allows an origin, as @fastify/cors has it. */
function grantTo(
  origin: string | undefined,
  rules: OriginRules,
): { readonly origin: string | false; readonly credentials: boolean } {
  // A wildcard never comes with credentials; only a named origin may use the visitor's cookies.
  if (origin !== undefined && isNamed(origin, rules)) return { origin, credentials: true }
  return {
    origin: origin !== undefined && rules.allowOrigins.includes('*') ? '*' : false,
    credentials: false,
  }
}

function isNamed(origin: string, { allowOrigins, allowLocalOrigins }: OriginRules): boolean {
  return allowOrigins.includes(origin) || (allowLocalOrigins && isLocal(origin))
}

function isOwn(request: PageRequest, origin: string): boolean {
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
