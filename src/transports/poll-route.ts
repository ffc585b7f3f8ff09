import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../auth/identity.js'
import { ownParsing } from '../own-parsing.js'
import { callerOf } from './handshake.js'
import { openPoll, type PollOptions, pollHeaders } from './long-poll.js'
import { pollSchema } from './schemas.js'

/** What the poll's route needs. */
export interface PollRouteOptions extends PollOptions {
  /** Who asks; undefined: the request's address and browser say it. */
  readonly callerOf?: ((request: FastifyRequest) => Caller) | undefined
}

/** `GET /poll`, as the framework gives it. */
export function registerPoll(app: FastifyInstance, options: PollRouteOptions): void {
  const route = { schema: pollSchema, ...ownParsing, exposeHeadRoute: false }
  app.get('/poll', route, async (request, reply) => {
    const caller = (options.callerOf ?? callerOf)(request)
    const send = (body: string) => void reply.headers(pollHeaders).send(body)
    await openPoll(request, caller, { raw: reply.raw, send }, options)
    return reply
  })
}
