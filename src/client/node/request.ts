import type { Request } from '../receiver.js'
import { ask, maxLength, readAnswer } from './ask.js'

// Later than this, the answer to a poll of 25 s is lost, and so is the connection.
const timeoutMs = 40_000

/** Asks over HTTP or HTTPS; requests that follow each other share a connection. */
export const request: Request = (url, _credentials, done) => {
  let isOver = false
  const end: typeof done = (status, body) => {
    if (isOver) return
    isOver = true
    done(status, body)
  }
  const sent = ask(url, { accept: 'application/json', timeoutMs })
  sent.on('error', error => end(0, { message: error.message }))
  sent.on('response', response => {
    readAnswer(response, body => end(response.statusCode ?? 0, body ?? {}), maxLength)
  })
  return () => {
    isOver = true
    sent.destroy()
  }
}
