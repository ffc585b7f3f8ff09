import createError from '@fastify/error'

/** Something with that name is not there (any more). */
export const NotFound = createError<[what: string]>('DEMO_NOT_FOUND', 'There is no such %s.', 404)

/** Only users may do that. */
export const NotLoggedIn = createError('DEMO_NOT_LOGGED_IN', 'Please log in first.', 401)

/** Only some users may do that. */
export const NotAllowed = createError('DEMO_NOT_ALLOWED', 'You may not do that.', 403)

/** The push service is away. */
export const PushServiceAway = createError('DEMO_PUSH_AWAY', 'The push service did not answer.', 502)
