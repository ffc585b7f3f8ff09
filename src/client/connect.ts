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
export function connect(url: string, given?: PageOptions): Push {
  const options = given || {}
  const transports = createTransports(options)
  const { receive, rest } = tabs(url, options, transports)
  const host = { source: sessionFrom, receive, tellGap: tellDocument, rest, follow: followPage }
  return createPush(url, options, host, transports.current)
}
