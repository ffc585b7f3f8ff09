import type { Receive, Request } from './receiver.js'

// The longest that the server allows: less than the 30 s after which many a proxy gives up.
const WAIT_S = 25

/** Receives by long-polling: one request after the other, each from where the last one ended. */
export function pollBy(request: Request): Receive {
  return (receiver, credentials) => {
    let version = ''
    let isOver = false
    let cancel: () => void
    const poll = () => {
      // Without a version the server knows that nothing came before.
      const own = `wait=${WAIT_S}${version && `&v=${encodeURIComponent(version)}`}`
      cancel = request(receiver.address('poll', own), credentials, (status, body) => {
        if (!body.messages) return receiver.fail(status, body)
        if (body.ready) version = body.ready.v
        receiver.take(body)
        if (!isOver) poll()
      })
    }
    poll()
    return () => {
      isOver = true
      cancel()
    }
  }
}
