import type { Request } from '../receiver.js'
import { ask, maxLength, readAnswer } from './ask.js'

// Later than this, the answer to a poll of 25 s is lost, and so is the connection.
const timeoutMs = 40_000

/** Asks over HTTP or HTTPS; requests that follow each other share a connection. */
export const request: Request = (url, done) => {
  let isOver = false
  const end: typeof done = (answer, status) => {
    if (isOver) return
    isOver = true
    done(answer, status)
  }
  const sent = ask(url, { accept: 'application/json', timeoutMs })
  sent.on('error', error => end({ message: error.message }, 0))
  sent.on('response', response => {
    readAnswer(response, answer => end(answer ?? {}, response.statusCode), maxLength)
  })
  return () => {
    isOver = true
    sent.destroy()
  }
}
