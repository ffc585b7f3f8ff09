/**
 * The naive server: what the README of fastify-sse-v2 leads to, and no more.
 *
 * It is written as well as that allows, not as a scarecrow: no log, one JSON text a message, subscribers in a set.
 * Arguments: port, auth URL, service key.
 */
import fastify, { type FastifyReply } from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import { askForIdentity } from './identity.js'
import type { PublishBody } from './publish-body.js'

interface Subscriber {
  readonly reply: FastifyReply
  readonly channels: ReadonlySet<string>
}

const [port, authUrl = '', key] = process.argv.slice(2)
const subscribers = new Set<Subscriber>()
const app = fastify()
await app.register(FastifySSEPlugin)

app.get('/readyz', () => ({ ready: true }))

app.get<{ Querystring: { token: string } }>('/v1/stream', async (request, reply) => {
  const identity = await askForIdentity(authUrl, request.query.token)
  if (identity === undefined) return reply.code(403).send()
  const { uid, channels } = identity
  const subscriber = { reply, channels: new Set(channels) }
  subscribers.add(subscriber)
  reply.raw.on('close', () => subscribers.delete(subscriber))
  reply.sse({ event: 'ready', data: JSON.stringify({ uid, channels }) })
  return reply
})

app.post<{ Body: PublishBody }>('/v1/publish', (request, reply) => {
  if (request.headers.authorization !== `Bearer ${key}`) return reply.code(401).send()
  const { channel, broadcast, data } = request.body
  const text = JSON.stringify({ channel, data })
  for (const subscriber of subscribers) {
    if (broadcast || (channel !== undefined && subscriber.channels.has(channel))) {
      subscriber.reply.sse({ data: text })
    }
  }
  return reply.send({ ok: true })
})

process.on('SIGTERM', () => process.exit(0))
await app.listen({ host: '127.0.0.1', port: Number(port) })
