import createError from '@fastify/error'
import type { FastifyError } from 'fastify'

/**
 * Every error that an HTTP client of Downpipe can meet: code, message, status. The status belongs to the error; no handler
 * maps. Messages never hold a token, a key, a grant or a query string.
 */

/** The body, the query or a header is not of the documented form; the argument says what and where. */
export const InvalidRequest = createError<[string]>('DOWNPIPE_INVALID_REQUEST', '%s', 400)
/** A request that arrived behind another one on the same connection cannot become a stream. */
export const Pipelined = createError(
  'DOWNPIPE_PIPELINED',
  'a stream cannot be requested behind another request',
  400,
)
/** No service key or a wrong one; on purpose without a hint which. */
export const ServiceKeyRequired = createError(
  'DOWNPIPE_SERVICE_KEY_REQUIRED',
  'this call needs a valid service key: Authorization: Bearer <service key>',
  401,
)
/** No token came with the request, and the channels open to anonymous readers do not suffice. */
export const TokenRequired = createError(
  'DOWNPIPE_TOKEN_REQUIRED',
  'no token came with the request, and nothing is open to anonymous readers',
  401,
)
/** The CMS refused the token, or it was logged out. */
export const TokenRefused = createError('DOWNPIPE_TOKEN_REFUSED', 'the token was refused', 401)
/** The user was kicked and the hold has not ended. */
export class UserKicked extends createError(
  'DOWNPIPE_USER_KICKED',
  'this user was kicked and may not connect for now',
  403,
) {
  /** Seconds until the hold ends. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super()
    this.retryAfter = retryAfter
  }
}
/** The page's origin is not among the allowed ones. */
export const OriginForbidden = createError(
  'DOWNPIPE_ORIGIN_FORBIDDEN',
  'pages of this origin may not connect; the server allows origins by --allow-origin',
  403,
)
/** The service key was right, but it may not do this; the argument says what. */
export const KeyRestricted = createError<[string]>(
  'DOWNPIPE_KEY_RESTRICTED',
  'this service key may not %s',
  403,
)
/** A channel that was asked for by name is not allowed to this identity. */
export class ChannelForbidden extends createError<[string]>(
  'DOWNPIPE_CHANNEL_FORBIDDEN',
  'the channel %s is not allowed to this identity',
  403,
) {
  readonly channel: string

  constructor(channel: string) {
    super(JSON.stringify(channel))
    this.channel = channel
  }
}
/** The program that embeds the service does not want the message published. */
export const PublishVetoed = createError(
  'DOWNPIPE_PUBLISH_VETOED',
  'the message may not be published: the site does not want it',
  403,
)
/** No such address. */
export const NotFound = createError('DOWNPIPE_NOT_FOUND', 'no such address', 404)
/** The user, or the site, has as many memberships as are kept. */
export const TooManyMemberships = createError(
  'DOWNPIPE_TOO_MANY_MEMBERSHIPS',
  'no more memberships can be added: a user has at most as many as a subscriber has channels, a site those of 100000 users',
  409,
)
/** The request did not arrive in time. */
export const RequestTimeout = createError(
  'DOWNPIPE_REQUEST_TIMEOUT',
  'the request did not arrive in time',
  408,
)
/** The body, a batch or a message's data is over its limit; the argument says which and what the limit is. */
export const TooLarge = createError<[string]>('DOWNPIPE_TOO_LARGE', '%s', 413)
/** The address is longer than `--max-url`. */
export const UrlTooLong = createError<[number]>('DOWNPIPE_URL_TOO_LONG', 'the address is over %d bytes', 414)
/** The body is not JSON by its Content-Type. */
export const UnsupportedMediaType = createError(
  'DOWNPIPE_UNSUPPORTED_MEDIA_TYPE',
  'the body must be JSON: Content-Type: application/json',
  415,
)
/** An idempotency key came again with another body. */
export const IdempotencyConflict = createError<[string]>(
  'DOWNPIPE_IDEMPOTENCY_CONFLICT',
  '%s: this idempotencyKey was used with another message',
  422,
)
/** Too many unknown tokens or connections from one address; transient. */
export const TooManyRequests = createError<[string]>('DOWNPIPE_TOO_MANY_REQUESTS', '%s', 429)
/** A fault of ours; the log has more. */
export const InternalError = createError('DOWNPIPE_INTERNAL', 'internal error', 500)
/** The embedding program's `onPublish` threw or took too long; its log has more. */
export const HookFailed = createError(
  'DOWNPIPE_HOOK_FAILED',
  'the message was not published: the onPublish of this server failed',
  500,
)
/** Overloaded, draining, or the auth URL is away; transient. */
export const Busy = createError<[string]>('DOWNPIPE_BUSY', '%s', 503)

/** The body of every error answer. */
export interface ErrorBody {
  readonly statusCode: number
  readonly code: string
  readonly error: string
  readonly message: string
  /** The channel that is not allowed, where that is the error. */
  readonly channel?: string
  /** Which message of the call is refused, counted from 0, where the error is about one: the publisher leaves it out. */
  readonly index?: number
  /** Seconds after which to try again, jittered; only where trying again makes sense. */
  readonly retryAfter?: number
}

/** The error, which from now on also says which message of the call it is about. */
export function atIndex<E extends Error>(error: E, index: number): E & { readonly index: number } {
  return Object.assign(error, { index })
}

/** Whether the error is one of this table. */
export function isOfTable(error: unknown): error is FastifyError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('DOWNPIPE_')
  )
}

/** Whether the error is one that trying again later may get around. */
export function isTransient(error: unknown): boolean {
  return error instanceof Busy || error instanceof TooManyRequests
}
