import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Desk } from './desk.js'
import { NotAllowed, NotFound, PushServiceAway } from './errors.js'
import { link } from './layout.js'
import { PUBLIC_CHANNELS } from './messages.js'
import { sessionCookie } from './sessions.js'
import { findUser } from './users.js'
import { viewOf, wantsJson } from './view.js'

/** For how long the push service may believe our answer about a token, in seconds. */
const EXPIRES_IN = 3_600

/** Where a form leads back to: one of our own pages. Any address would make the login a springboard to other sites. */
const next = Type.String({ pattern: '^/(article/[0-9]{1,9})?$' })

const choice = Type.Object({ user: Type.String(), next })

/** Login, logout and kick for browsers, and the question that the push service asks about a token. */
export const accountRoutes: FastifyPluginCallbackTypebox<Desk> = (app, desk, done) => {
  const { sessions, push, serviceKey } = desk

  app.post('/login', { schema: { body: choice } }, async (request, reply) => {
    const view = viewOf(desk, request, request.body.next)
    const user = findUser(request.body.user)
    if (!user) throw new NotFound('user')
    if (view.session) {
      await push.logout(view.session.token)
      sessions.close(view.session)
    }
    return reply.header('set-cookie', sessionCookie(sessions.open(user))).redirect(link(view, view.path), 303)
  })

  app.post('/logout', { schema: { body: Type.Object({ next }) } }, async (request, reply) => {
    const view = viewOf(desk, request, request.body.next)
    if (view.session) {
      // The push service first: were the session closed first, a page that connects in between would be refused
      // without being told why, and an answer already on its way would let the token in for a while.
      await push.logout(view.session.token)
      sessions.close(view.session)
    }
    return reply.header('set-cookie', sessionCookie()).redirect(link(view, view.path), 303)
  })

  app.post('/kick', { schema: { body: choice } }, async (request, reply) => {
    const view = viewOf(desk, request, request.body.next)
    if (!view.session?.user.isAdmin) throw new NotAllowed()
    const user = findUser(request.body.user)
    if (!user) throw new NotFound('user')
    if (!(await push.kick(user.uid))) throw new PushServiceAway()
    if (wantsJson(request)) return { type: 'notice', text: `${user.name} was kicked` }
    return reply.redirect(link(view, view.path), 303)
  })

  const question = Type.Object({ token: Type.String() })
  app.post('/downpipe/auth', { schema: { body: question } }, async (request, reply) => {
    if (!isSame(request.headers.authorization ?? '', `Bearer ${serviceKey}`)) throw new NotAllowed()
    const session = sessions.fromToken(request.body.token)
    if (!session) return reply.code(403).send({ message: 'That session is over.' })
    const { uid, name } = session.user
    return { uid, channels: PUBLIC_CHANNELS, expiresIn: EXPIRES_IN, info: { name } }
  })
  done()
}

/** Compares without telling by its duration how much is right. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(expected))
}
