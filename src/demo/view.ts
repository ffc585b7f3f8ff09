import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Desk } from './desk.js'
import type { Html } from './html.js'
import type { View } from './layout.js'

/** For whom and how the page at `path` is made: read from the request's cookie and address. */
export function viewOf(desk: Desk, request: FastifyRequest, path: string): View {
  const { searchParams } = new URL(request.url, 'http://localhost')
  return {
    path,
    session: desk.sessions.fromCookie(request.headers.cookie),
    transport: searchParams.get('transport') === 'poll' ? 'poll' : undefined,
  }
}

/** Whether a form was sent by the page's script, which shows the answer itself, or by the browser. */
export function wantsJson(request: FastifyRequest): boolean {
  return request.headers.accept === 'application/json'
}

/**
 * Sends a page or a part of one. Nothing in it may run or load but our own files and the push service: should a text
 * of a user ever get through unescaped, it still does nothing.
 */
export function sendPage(desk: Desk, reply: FastifyReply, page: Html): FastifyReply {
  const push = desk.push.url
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${push}`,
    `connect-src 'self' ${push}`,
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return reply
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-security-policy', policy.join('; '))
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'same-origin')
    .send(page.toString())
}
