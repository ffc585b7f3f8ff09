import type { FastifyBaseLogger } from 'fastify'
import type { Trust } from './visitor.js'

/** What answering plain requests needs. */
export interface PlainParts<Options> {
  /** What can be asked for, by its path. */
  readonly routes: ReadonlyMap<string, Options>
  readonly trust: Trust
  /** Is told of faults of ours. */
  readonly log: FastifyBaseLogger
}
