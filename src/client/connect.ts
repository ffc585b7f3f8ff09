import { createConnection } from './connection.js'
import { createDispatcher } from './dispatcher.js'
import type { Gap } from './frames.js'
import type { Host } from './host.js'
import { note } from './note.js'
import { followPage } from './page-events.js'
import type { PageOptions } from './page-options.js'
import { createPush, type Push } from './push.js'
import { sessionFrom } from './session.js'
import { createTransports } from './transport.js'

function tellPage(gap: Gap): void {
  // As old browsers do it.
  const event = document.createEvent('CustomEvent')
  event.initCustomEvent('downpipe:gap', false, false, gap)
  document.dispatchEvent(event)
}

/**
 * Connects a page to a push server, from the next turn of the event loop on, so that listeners which are added at once are part
 * of the first request.
 *
 * @param url where the server's `/v1` is: `https://push.example`, a prefix such as `/push` or `.`, with `/sites/<name>`
 * behind it on a server of several sites. Empty: the root of the page's own origin.
 */
export function connect<Channels extends object = Record<string, unknown>>(
  url: string,
  options?: PageOptions,
): Push<Channels>
export function connect(url: string, options: PageOptions = {}): Push {
  const transports = createTransports(options.transport, note)
  const shared = options.tabs?.(url, options, transports.receive, note)
  const dispatcher = createDispatcher(options)
  let unfollow = () => {}
  const host: Host = {
    session: options.session ? sessionFrom(options.session) : undefined,
    receive: shared ? shared.receive : transports.receive,
    later: setTimeout,
    gap: tellPage,
    rest(isOver) {
      if (shared) shared.release()
      if (isOver) unfollow()
    },
    note,
  }
  const connection = createConnection(url, options, host, dispatcher)
  unfollow = followPage(connection, options.pauseHidden || 0)
  return createPush(dispatcher, connection, transports.current)
}
