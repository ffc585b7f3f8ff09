import type { ConnectOptions } from './options.js'
import { pollBy } from './poll.js'
import { createPush, type Push } from './push.js'
import { request } from './request.js'
import { receiveStream } from './stream.js'

/**
 * Connects a page to a push server, from the next turn of the event loop on, so that listeners which are added at once are part
 * of the first request.
 *
 * @param url where the server's `/v1` is: `https://push.example`, a prefix such as `/push` or `.`, with `/sites/<name>`
 * behind it on a server of several sites. Empty: the root of the page's own origin.
 */
export function connect<Channels extends object = Record<string, unknown>>(
  url: string,
  options?: ConnectOptions,
): Push<Channels>
export function connect(url: string, options: ConnectOptions = {}): Push {
  const transport = options.transport !== 'poll' && window.EventSource ? 'sse' : 'poll'
  return createPush(
    url,
    options,
    transport,
    transport === 'sse' ? receiveStream : pollBy(request),
    setTimeout,
  )
}
