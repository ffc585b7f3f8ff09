import { STATUS_CODES } from 'node:http'
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyRequest } from 'fastify'
import {
  ChannelForbidden,
  type ErrorBody,
  InternalError,
  InvalidRequest,
  isOfTable,
  isTransient,
  NotFound,
  TooLarge,
  UnsupportedMediaType,
  UserKicked,
} from './errors.js'
import { randomBetween } from './jitter.js'

/** Bounds of the random time, in seconds, after which a transient refusal may be tried again. */
const retryAfter = [2, 6] as const

/** The same error in our table; undefined for a fault of ours. */
function translate(error: FastifyError, bodyLimit: number): FastifyError | undefined {
  if (error.code.startsWith('DOWNPIPE_')) return error
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new TooLarge(`body: at most ${bodyLimit} bytes`)
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
    case 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE':
      return new UnsupportedMediaType()
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new InvalidRequest('body: empty; JSON was expected')
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new InvalidRequest('body: not valid JSON')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new InvalidRequest('body: not as long as Content-Length says')
    default:
      return undefined
  }
}

/** The body of an error's answer. */
export function errorBody(error: FastifyError): ErrorBody {
  const statusCode = error.statusCode ?? 500
  const body = {
    statusCode,
    code: error.code,
    error: STATUS_CODES[statusCode] ?? 'Error',
    message: error.message,
    ...('index' in error && typeof error.index === 'number' && { index: error.index }),
  }
  if (error instanceof ChannelForbidden) return { ...body, channel: error.channel }
  if (error instanceof UserKicked) return { ...body, retryAfter: error.retryAfter }
  if (!isTransient(error)) return body
  return { ...body, retryAfter: randomBetween(retryAfter) }
}

/** The headers of an error's answer, beside those that every answer has. */
export function errorHeaders({ retryAfter }: ErrorBody): Readonly<Record<string, string>> {
  return {
    'Cache-Control': 'no-store',
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  }
}

/** The body that answers whatever was thrown. What is not in the table is a fault of ours: logged, and not told. */
export function bodyFor(thrown: unknown, log: FastifyBaseLogger, route: string): ErrorBody {
  if (isOfTable(thrown)) return errorBody(thrown)
  logFault(log, thrown, route)
  return errorBody(new InternalError())
}

/** Says in the log that a request failed by a fault of ours. `route`: its address as it was registered, not as it was asked for. */
function logFault(log: FastifyBaseLogger, thrown: unknown, route: string | undefined): void {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
  log.error({ err: { name, message, stack }, route }, 'a request failed by a fault of ours')
}

/** Whether the client went away, or was cut off, before its request was whole: no fault, and nobody to answer. */
function hasLeft({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete
}

/**
 * Answers each error from the one table, and an address that is nowhere. What is not in the table is a fault of ours: logged, and
 * not told.
 */
export function registerErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const known =
      typeof thrown.code === 'string' ? translate(thrown, request.routeOptions.bodyLimit) : undefined
    if (known === undefined && !hasLeft(request)) logFault(app.log, thrown, request.routeOptions.url)
    const body = errorBody(known ?? new InternalError())
    return reply.code(body.statusCode).headers(errorHeaders(body)).send(body)
  })
  app.setNotFoundHandler((_request, reply) => {
    const body = errorBody(new NotFound())
    return reply.code(body.statusCode).send(body)
  })
}
