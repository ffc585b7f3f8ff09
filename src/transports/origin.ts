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

/**
 * CORS on every answer, errors included, and a check of our own before any work: an `Origin` that is neither allowed, nor our
 * own host, nor said to be same-origin by the browser is refused.
 */
export async function registerOrigin(app: FastifyInstance, rules: OriginRules): Promise<void> {
  const named = new Set(rules.allowOrigins)
  const isNamed = (origin: string) => named.has(origin) || (rules.allowLocalOrigins && isLocal(origin))
  await app.register(cors, {
    hook: 'onRequest',
    delegator: (request, callback) => {
      const { origin } = request.headers
      const isAllowed = origin !== undefined && (isNamed(origin) || named.has('*'))
      callback(null, {
        origin: isAllowed ? (isNamed(origin) ? origin : '*') : false,
        // A wildcard never comes with credentials; only a named origin may use the visitor's cookies.
        credentials: origin !== undefined && isNamed(origin),
        methods: ['GET', 'POST', 'PUT', 'DELETE'],
        exposedHeaders: ['Retry-After'],
        maxAge: 86_400,
        strictPreflight: false,
      })
    },
  })
  app.addHook('onRequest', async request => {
    const { origin } = request.headers
    if (origin === undefined || named.has('*') || isNamed(origin) || isOwn(request, origin)) return
    throw new OriginForbidden()
  })
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
