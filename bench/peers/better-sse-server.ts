/**
 * A server with better-sse: a channel for each of ours, and one for all.
 *
 * The text of a message is made once and not by each session anew, which its documented `serializer` allows. Arguments: port,
 * auth URL, service key.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { type Channel, createChannel, createSession } from 'better-sse'
import { askForIdentity } from './identity.js'
import { readPublishBody } from './publish-body.js'

const KEEP_ALIVE_MS = 25_000

const [port, authUrl = '', key] = process.argv.slice(2)
const everybody = createChannel()
const channels = new Map<string, Channel>()

function channelOf(name: string): Channel {
  const existing = channels.get(name)
  if (existing !== undefined) return existing
  const channel = createChannel()
  channels.set(name, channel)
  return channel
}

async function stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const token = new URL(request.url ?? '', 'http://localhost').searchParams.get('token') ?? ''
  const identity = await askForIdentity(authUrl, token)
  if (identity === undefined) {
    response.writeHead(403).end()
    return
  }
  const session = await createSession(request, response, { keepAlive: KEEP_ALIVE_MS, serializer: String })
  everybody.register(session)
  for (const name of identity.channels) channelOf(name).register(session)
  session.push(JSON.stringify(identity), 'ready')
}

async function publish(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { channel, broadcast, data } = await readPublishBody(request)
  const target = broadcast ? everybody : channels.get(channel ?? '')
  target?.broadcast(JSON.stringify({ channel, data }))
  response.writeHead(200, { 'Content-Length': 0 }).end()
}

const server = http.createServer((request, response) => {
  if (request.method === 'GET' && request.url?.startsWith('/v1/stream')) void stream(request, response)
  else if (request.method === 'GET') response.writeHead(200).end()
  else if (request.headers.authorization !== `Bearer ${key}`) response.writeHead(401).end()
  else void publish(request, response)
})
process.on('SIGTERM', () => process.exit(0))
server.listen(Number(port), '127.0.0.1')
