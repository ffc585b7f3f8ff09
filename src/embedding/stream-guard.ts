import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { carriesStream } from '../transports/sse.js'

const guarded = new WeakSet<EventEmitter>()

/**
 * Keeps a server that is not ours from writing into streams: a second request on a socket that carries one, and what is no request
 * at all, end the connection before the server's own listeners answer it.
 *
 * To be called for each request, with its socket: a program may listen on several servers. Node gives a server's sockets the property
 * `server`.
 */
export function guardStreams(socket: Socket): void {
  if (!('server' in socket) || !(socket.server instanceof EventEmitter) || guarded.has(socket.server)) return
  guarded.add(socket.server)
  socket.server.prependListener('request', (request: IncomingMessage) => cutStream(request.socket))
  socket.server.prependListener('clientError', (_error: Error, socket: Socket) => cutStream(socket))
}

function cutStream(socket: Socket): void {
  if (carriesStream(socket)) socket.destroy()
}
