import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** Channels that all subscribers are on. */
export const SHARED_CHANNELS = ['s0', 's1', 's2', 's3', 's4'] as const

/**
 * Stands in for the CMS: the token `t123` is the user `123`, on the shared channels and on `own_123`. Every token is valid.
 *
 * @returns its auth URL, once it listens on a free port of the loopback
 */
export function startAuthServer(): Promise<string> {
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const uid = /"token": *"t(\d+)"/.exec(body)?.[1]
      if (uid === undefined) {
        response.writeHead(403).end()
        return
      }
      const identity = JSON.stringify({ uid, channels: [...SHARED_CHANNELS, `own_${uid}`], expiresIn: 3600 })
      response
        .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': identity.length })
        .end(identity)
    })
  })
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${portOf(server.address())}/auth`))
  })
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
