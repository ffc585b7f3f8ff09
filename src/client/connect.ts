import { createConnection, RECEIVES } from './connection.js'
import { createDispatcher } from './dispatcher.js'
import type { Gap } from './frames.js'
import { note } from './note.js'
import { followPage } from './page-events.js'
import type { PageOptions } from './page-options.js'
import { createPush, type Push } from './push.js'
import { request } from './request.js'
import { tabs } from './tabs.js'
import type { TokenSource } from './token.js'
import { createTransports } from './transport.js'

/** Fetches the session from a route of the CMS, with the cookies of its origin. */
function sessionFrom(url: string): TokenSource {
  return (settle: (answer: object | undefined) => void) => {
    request(url, true, (status, body) => settle(status === 200 ? body : Error(`status ${status}`)))
  }
}

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
  const transports = createTransports(options.transport)
  const shared = tabs(url, options, transports.receive)
  const dispatcher = createDispatcher(options)
  const connection = createConnection(
    url,
    options,
    {
      source: options.session ? sessionFrom(options.session) : undefined,
      receive: shared ? shared.receive : transports.receive,
      later: setTimeout,
      sign: transports.sign,
      gap: tellPage,
      rest(isOver) {
        if (shared) shared.release()
        if (!isOver) return
        unfollow()
        clearInterval(timer)
      },
      note,
    },
    dispatcher,
  )
  const unfollow = followPage(connection, options.pauseHidden)
  const timer = transports.watch(() => connection.wake(RECEIVES))
  return createPush(dispatcher, connection, transports.current)
}
