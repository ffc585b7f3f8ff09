import type { Message } from './frames.js'
import { readObject } from './json.js'
import type { Address, Request, Take } from './receiver.js'

const CLOSED = 2

/**
 * Receives over Server-Sent Events. After a cut it leaves the first reconnect to the browser, which knows the server's
 * jittered `retry` and sends `Last-Event-ID`. If that fails too, there is no connection.
 *
 * @param request asks why a stream is refused. The answer is taken, and is none even with status 200
 * @param withCredentials whether cookies are sent to another origin
 * @returns what stops it
 */
export function receiveStream(
  address: Address,
  take: Take,
  request: Request,
  withCredentials: boolean,
): () => void {
  const source = new EventSource(address('stream?'), { withCredentials })
  let cancel: (() => void) | undefined
  let last = ''
  let isAlive: boolean | undefined

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
      take({ [name]: value, messages: isMessage ? [value] : [], cursor: last })
    })
  })

  source.onerror = () => {
    if (source.readyState === CLOSED) {
      // The browser keeps the status to itself; a poll with the same parameters gets the same one.
      cancel = request(address('poll?wait=0&'), take)
    } else if (!isAlive) take({}, 0)
    isAlive = false
  }
  return () => {
    source.close()
    if (cancel) cancel()
  }
}
