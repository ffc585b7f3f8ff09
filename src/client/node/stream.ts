import type { IncomingMessage } from 'node:http'
import type { Address, Answer, Batch, Receive, Take } from '../receiver.js'
import { ask, maxLength, readAnswer } from './ask.js'
import { EventStream, type StreamEvent } from './event-stream.js'

/** Milliseconds of silence before the server has said how often it gives a sign of life. */
const firstTimeoutMs = 60_000

/** The same afterwards, in heartbeats: two that did not come, and some time for one that is late. */
const missedHeartbeats = 2.2

/** Milliseconds after which to come back, at most, when the server has not said it. Many may have been cut off at once. */
const longestRetryMs = 4_000

const names = ['ready', 'gap', 'message', 'heartbeat', 'close']

/**
 * Receives over Server-Sent Events. After a cut it comes back by itself, as a browser does: when the server's jittered `retry`
 * says, with `Last-Event-ID`. If that fails too, there is no connection.
 */
export const receiveStream: Receive = (address, take) => {
  let cancel = () => {}
  let lastId = ''
  const open = () => {
    cancel = readStream(address, take, lastId, stream => {
      lastId = stream.lastId || lastId
      const timer = setTimeout(open, stream.retryMs ?? Math.random() * longestRetryMs)
      cancel = () => clearTimeout(timer)
    })
  }
  open()
  return () => cancel()
}

/** Reads one stream; `cut` is called when it ends after it has begun. */
function readStream(
  address: Address,
  take: Take,
  lastEventId: string,
  cut: (stream: EventStream) => void,
): () => void {
  let isAlive = false
  let isOver = false

  const stop = () => {
    isOver = true
    request.destroy()
  }
  const refuse = (refusal: Answer, status: number) => {
    if (isOver) return
    stop()
    take(refusal, status)
  }
  const end = (message: string) => {
    if (isOver) return
    if (!isAlive) return refuse({ message }, 0)
    stop()
    cut(stream)
  }
  const read = (event: StreamEvent) => {
    // The page's code, which runs for the event before, may have closed us.
    if (isOver || !names.includes(event.type)) return
    const batch = toBatch(event, stream.lastId)
    isAlive = true
    if (batch.ready) request.setTimeout(batch.ready.heartbeat * 1000 * missedHeartbeats)
    take(batch)
  }

  const stream = new EventStream(read, maxLength)
  const request = ask(address('stream?'), {
    accept: 'text/event-stream',
    timeoutMs: firstTimeoutMs,
    lastEventId,
    isAlone: true,
  })
  request.on('error', error => end(error.message))
  request.on('response', response => {
    const status = response.statusCode ?? 0
    if (status !== 200 || !isEventStream(response)) {
      readAnswer(response, body => {
        const isRefusal = body && !body.messages
        refuse(isRefusal ? body : { message: 'The answer is not a stream of events' }, status)
      })
      return
    }
    response.on('data', (chunk: Buffer) => {
      try {
        if (!isOver) stream.push(chunk)
      } catch (error) {
        refuse({ message: `The stream is not the push server's: ${error}` }, status)
      }
    })
    response.on('error', () => {})
    response.on('close', () => end('The stream ended before anything came'))
  })
  return stop
}

function isEventStream(response: IncomingMessage): boolean {
  return /^text\/event-stream *(;|$)/i.test(response.headers['content-type'] ?? '')
}

/** @throws SyntaxError or TypeError when the data is not what the push server sends */
function toBatch({ type, data, id }: StreamEvent, cursor: string): Batch {
  const value = data === '' ? undefined : JSON.parse(data)
  if (type === 'heartbeat') return { messages: [], cursor }
  if (typeof value !== 'object' || value === null) throw new TypeError(`${type} without data`)
  if (type !== 'message') return { [type]: value, messages: [], cursor }
  return { messages: [id === undefined ? value : { ...value, id }], cursor }
}
