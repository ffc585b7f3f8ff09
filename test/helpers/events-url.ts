import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { listen, shut } from './listening.js'

/** What a CMS is told at its events URL. */
export interface EventCall {
  readonly headers: IncomingHttpHeaders
  readonly event: { readonly type: string; readonly uid: string }
}

/** An events URL that tests script. It takes everything, unless told otherwise. */
export interface EventsUrl {
  readonly url: string
  /** All calls, whatever became of them. */
  readonly calls: EventCall[]
  /** The events that were taken, in order, as `5 online`. */
  readonly taken: string[]
  /** Calls that wait for their answer at the same time, at the most so far. */
  readonly most: number
  /** What is answered (a status; undefined: the test answers the response itself). */
  answer: (call: EventCall, response: ServerResponse) => number | undefined
  close(): Promise<void>
}

export async function startEventsUrl(port = 0): Promise<EventsUrl> {
  const calls: EventCall[] = []
  const taken: string[] = []
  let open = 0
  let most = 0
  const server = createServer((request, response) => {
    let text = ''
    open += 1
    most = Math.max(most, open)
    response.once('close', () => {
      open -= 1
    })
    request.setEncoding('utf8')
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      const call = { headers: request.headers, event: JSON.parse(text) as EventCall['event'] }
      calls.push(call)
      response.once('finish', () => {
        if (response.statusCode < 300) taken.push(`${call.event.uid} ${call.event.type}`)
      })
      const status = events.answer(call, response)
      if (status !== undefined) response.writeHead(status).end()
    })
  })
  const listening = await listen(server, port)
  const events: EventsUrl = {
    url: `http://127.0.0.1:${listening}/events`,
    calls,
    taken,
    get most() {
      return most
    },
    answer: () => 204,
    close: () => shut(server),
  }
  return events
}
