import type { FastifyInstance } from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import { Type } from 'typebox'
import type { Clock } from '../../clock.js'
import { errorAnswers } from '../../error-schema.js'
import type { Control } from '../control.js'

/** Milliseconds between two figures. */
const intervalMs = 1_000

const schema = {
  summary: 'The figures of `stats`, each second',
  response: {
    200: {
      description: 'Server-Sent Events, each with the JSON of `stats`',
      content: { 'text/event-stream': { schema: Type.String() } },
    },
    ...errorAnswers,
  },
}

/**
 * `GET /stats/stream`: the figures each second, as SSE.
 *
 * One reader with values of its own, which is what fastify-sse-v2's async-iterable form is for. It never calls `return()` on
 * the iterator when the reader leaves, so the iterator ends itself when the connection does.
 */
export async function registerStatsStream(
  app: FastifyInstance,
  { control, clock, closing }: { control: Control; clock: Clock; closing: AbortSignal },
): Promise<void> {
  await app.register(FastifySSEPlugin, { retryDelay: intervalMs })
  app.get('/stats/stream', { config: { operation: 'stats' }, schema }, (request, reply) => {
    const ending = new AbortController()
    request.raw.socket.once('close', () => ending.abort())
    reply.header('X-Accel-Buffering', 'no')
    reply.sse(figures(control, clock, AbortSignal.any([closing, ending.signal])))
  })
}

async function* figures(
  control: Control,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<{ data: string }> {
  while (!signal.aborted) {
    yield { data: JSON.stringify(control.stats()) }
    await pause(clock, signal)
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(intervalMs, done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
