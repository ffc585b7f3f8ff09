import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ServiceKeys } from '../../auth/service-key.js'
import type { Clock } from '../../clock.js'
import type { Control } from '../control.js'

/** What the control routes need. */
export interface ControlOptions {
  readonly control: Control
  readonly serviceKeys: ServiceKeys
  readonly clock: Clock
  /** Aborted when the server goes away: ends what would go on for ever. */
  readonly closing: AbortSignal
}

/** The part of the server that the control routes are on; a handler's types follow from the route's schema. */
export type ControlApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
