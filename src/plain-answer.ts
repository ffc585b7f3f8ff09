import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { errorHeaders } from './error-answers.js'
import type { ErrorBody } from './errors.js'

/** Headers of an answer. No two may differ in upper and lower case only. */
export type AnswerHeaders = Readonly<Record<string, string>>

/** The head of an answer that is written to the socket itself. */
export function answerHead(statusCode: number, headers: AnswerHeaders): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return (
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}\r\n${lines.join('')}` +
    `Date: ${new Date().toUTCString()}\r\n\r\n`
  )
}

/** Writes a whole answer to a socket on which nothing was answered yet, and ends the connection. */
export function endWith(
  socket: Socket,
  statusCode: number,
  headers: AnswerHeaders,
  body: string | Uint8Array,
): void {
  const length = String(Buffer.byteLength(body))
  socket.cork()
  socket.write(answerHead(statusCode, { ...headers, 'Content-Length': length, Connection: 'close' }))
  socket.write(body)
  socket.uncork()
  socket.destroySoon()
}

/** The same with an error. */
export function endWithError(socket: Socket, body: ErrorBody, headers: AnswerHeaders = {}): void {
  const type = { 'Content-Type': 'application/json; charset=utf-8' }
  endWith(socket, body.statusCode, { ...headers, ...errorHeaders(body), ...type }, JSON.stringify(body))
}
