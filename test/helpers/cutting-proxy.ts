import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { listen } from './listening.js'

/** A proxy that cuts its connections. */
export interface CuttingProxy {
  readonly url: string
  /** How often it has cut. */
  readonly cuts: number
  /** Cuts all connections, and lets none in until `restore`. */
  drop(): void
  restore(): void
  close(): Promise<void>
}

/**
 * Starts a proxy in front of a server, which hands on so many bytes of each connection's answers and then cuts both sides: in the
 * middle of a head, a frame, a character. It shortens the time after which streams are told to come back, for tests' sake.
 *
 * @param bytes drawn for each connection; Infinity: it is not cut
 */
export async function startCuttingProxy(target: string, bytes: () => number): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let cuts = 0
  let isDown = false
  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer(client => {
    if (isDown) {
      client.destroy()
      return
    }
    const upstream = connect({ host: hostname, port: Number(port) })
    let left = bytes()
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // The other side learns of it by the close.
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on('data', chunk => upstream.write(chunk))
    upstream.on('data', chunk => {
      const text = chunk.toString('latin1').replace(/^retry: \d{4}$/m, 'retry: 0005')
      client.write(text.slice(0, left), 'latin1')
      left -= chunk.length
      if (left > 0) return
      cuts++
      client.end()
      upstream.destroy()
    })
  })
  const ownPort = await listen(server)
  return {
    url: `http://127.0.0.1:${ownPort}`,
    get cuts() {
      return cuts
    },
    drop() {
      isDown = true
      cutAll()
    },
    restore() {
      isDown = false
    },
    close: async () => {
      server.close()
      cutAll()
      await once(server, 'close')
    },
  }
}
