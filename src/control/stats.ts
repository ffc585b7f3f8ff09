import { type Static, Type } from 'typebox'

const count = Type.Integer({ minimum: 0 })
const bytes = Type.Integer({ minimum: 0 })
const ms = Type.Number({ minimum: 0 })
const closed = { additionalProperties: false }
const counts = (description: string) => Type.Record(Type.String(), count, { description })

/** What `GET /stats` tells of a site on this node, and of the process. Counters count from the start of the process. */
export const StatsSchema = Type.Object(
  {
    uptimeMs: ms,
    connections: Type.Object(
      { sse: count, poll: count },
      { ...closed, description: 'open streams and waiting polls' },
    ),
    listenedKeys: Type.Integer({ minimum: 0, description: 'channels and users that somebody listens on' }),
    messages: count,
    deliveries: Type.Integer({ minimum: 0, description: 'messages put into outboxes' }),
    connects: Type.Integer({ minimum: 0, description: 'streams and polls that began' }),
    perSecond: Type.Object(
      {
        messages: Type.Optional(count),
        deliveries: Type.Optional(count),
        connects: Type.Optional(count),
      },
      { ...closed, description: 'growth in the last second; empty in the first one' },
    ),
    outboxes: Type.Object(
      { queued: count, overflows: count },
      { ...closed, description: 'outboxes that wait to be written now, and how often one overflowed' },
    ),
    gaps: count,
    closed: counts('connections closed, by reason'),
    log: Type.Object({ applied: Type.String(), entries: count, bytes }, closed),
    verifier: Type.Union([counts('identities, calls and their outcomes'), Type.Null()], {
      description: 'null: there is no auth URL',
    }),
    events: Type.Union([counts('waiting and running now; told, failed calls and lost events'), Type.Null()], {
      description: 'what the CMS is told at the events URL; null: there is none',
    }),
    memory: Type.Object({ rssBytes: bytes, heapUsedBytes: bytes, externalBytes: bytes }, closed),
    eventLoop: Type.Object(
      { meanMs: ms, p99Ms: ms, maxMs: ms },
      { ...closed, description: 'how late the event loop was, since the last reset (each minute)' },
    ),
  },
  closed,
)

/** The figures of a site on this node. */
export type Stats = Static<typeof StatsSchema>
