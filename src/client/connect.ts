import { createConnection } from './connection.js'
import { createDispatcher } from './dispatcher.js'
import { tellDocument } from './gap-event.js'
import { followPage } from './page-events.js'
import type { PageOptions } from './page-options.js'
import { createPush, type Push } from './push.js'
import { sessionFrom } from './session.js'
import { tabs } from './tabs.js'
import { createTransports } from './transport.js'

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
  const { receive, rest } = tabs(url, options, transports.receive)
  const dispatcher = createDispatcher(options)
  const connection = createConnection(
    url,
    options,
    {
      source: sessionFrom(options.session),
      receive,
      gap: tellDocument,
      rest(isOver) {
        rest()
        if (isOver) unfollow()
      },
    },
    dispatcher,
  )
  const unfollow = followPage(connection, options.pauseHidden)
  return createPush(dispatcher, connection, transports.current)
}
