/**
 * A server with socket.io: websockets only, a room for each channel, a middleware that asks who the token belongs to.
 *
 * As its documentation advises for speed and memory: no compression, and no reference to the first request. Arguments: port,
 * auth URL, service key.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { Server } from 'socket.io'
import { askForIdentity } from './identity.js'
import { readPublishBody } from './publish-body.js'

const [port, authUrl = '', key] = process.argv.slice(2)

const server = http.createServer((request, response) => {
  if (request.method === 'GET') response.writeHead(200).end()
  else if (request.headers.authorization !== `Bearer ${key}`) response.writeHead(401).end()
  else void publish(request, response)
})
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false })

io.engine.on('connection', (connection: { request: unknown }) => {
  connection.request = null
})

io.use(async (socket, next) => {
  const identity = await askForIdentity(authUrl, String(socket.handshake.auth.token))
  if (identity === undefined) {
    next(new Error('refused'))
    return
  }
  await socket.join([...identity.channels])
  next()
})

async function publish(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { channel, broadcast, data } = await readPublishBody(request)
  if (broadcast) io.emit('message', { data })
  else if (channel !== undefined) io.to(channel).emit('message', { channel, data })
  response.writeHead(200, { 'Content-Length': 0 }).end()
}

process.on('SIGTERM', () => process.exit(0))
server.listen(Number(port), '127.0.0.1')
