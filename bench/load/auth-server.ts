import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AskedReport } from './protocol.js'
import { spreadChannels } from './spread.js'

/** Channels that all subscribers are on. */
export const SHARED_CHANNELS = ['s0', 's1', 's2', 's3', 's4'] as const

const SECOND_MS = 1000

/**
 * Stands in for the CMS: the token `t123` is the user `123`, on the shared channels and on `own_123`; `c123` is the same user,
 * on the channels of {@link spreadChannels} instead of the shared ones. Every token is valid.
 */
export class AuthServer {
  readonly #server: http.Server
  #delayMs = 0
  #calls: number[] = []
  #waiting = 0
  #mostAtOnce = 0

  constructor() {
    this.#server = http.createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (text: string) => {
        body += text
      })
      request.on('end', () => this.#take(body, response))
    })
  }

  /** Listens on a free port of the loopback, and resolves to its auth URL. */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.on('error', reject)
      this.#server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${portOf(this.#server.address())}/auth`),
      )
    })
  }

  /** From now on takes `delayMs` for an answer, and tells what it was asked since the last such call. */
  takeStock(delayMs: number): AskedReport {
    const calls = this.#calls
    const mostAtOnce = this.#mostAtOnce
    this.#delayMs = delayMs
    this.#calls = []
    this.#mostAtOnce = this.#waiting
    return { kind: 'asked', calls: calls.length, peak: mostWithin(SECOND_MS, calls), mostAtOnce }
  }

  /** Ends it. */
  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #take(body: string, response: http.ServerResponse): void {
    this.#calls.push(performance.now())
    this.#waiting++
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#waiting)
    const answer = () => {
      this.#waiting--
      answerWith(response, body)
    }
    if (this.#delayMs === 0) answer()
    else setTimeout(answer, this.#delayMs)
  }
}

function answerWith(response: http.ServerResponse, body: string): void {
  const [, kind, uid] = /"token": *"([tc])(\d+)"/.exec(body) ?? []
  if (uid === undefined) {
    response.writeHead(403).end()
    return
  }
  const channels = kind === 't' ? SHARED_CHANNELS : spreadChannels(Number(uid)).map(channel => `c${channel}`)
  const identity = JSON.stringify({ uid, channels: [...channels, `own_${uid}`], expiresIn: 3600 })
  response
    .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': identity.length })
    .end(identity)
}

/** The most of these ascending times that lie within any span of `ms`. */
function mostWithin(ms: number, times: readonly number[]): number {
  let first = 0
  let most = 0
  times.forEach((time, index) => {
    while (time - (times[first] ?? time) >= ms) first++
    most = Math.max(most, index - first + 1)
  })
  return most
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
