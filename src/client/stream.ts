import type { Message } from './frames.js'
import { readObject } from './json.js'
import type { Receive } from './receiver.js'
import { request } from './request.js'

const CLOSED = 2

/**
 * Receives over Server-Sent Events. After a cut it leaves the first reconnect to the browser, which knows the server's
 * jittered `retry` and sends `Last-Event-ID`. If that fails too, the receiver is told.
 */
export const receiveStream: Receive = (receiver, credentials) => {
  const source = new EventSource(receiver.address('stream'), { withCredentials: credentials })
  let cancel = () => source.close()
  let last = ''
  let isAlive = false

  const names = ['ready', 'gap', 'message', 'heartbeat', 'close']
  names.forEach(name => {
    source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
      const value = readObject<Message & { id?: string }>(data)
      // Not the push server's, whoever has put it there.
      if (!value && name !== 'heartbeat') return
      const isMessage = value && name === 'message'
      // The browser repeats the last id with frames that have none.
      if (isMessage && lastEventId !== last) value.id = lastEventId
      last = lastEventId
      isAlive = true
      receiver.take({ [name]: value, messages: isMessage ? [value] : [], cursor: last })
    })
  })

  source.onerror = () => {
    if (source.readyState === CLOSED) {
      // The browser keeps the status to itself; a poll with the same parameters gets the same one.
      cancel = request(receiver.address('poll', 'wait=0'), credentials, receiver.fail)
    } else if (!isAlive) receiver.fail(0, {})
    isAlive = false
  }
  return () => cancel()
}
