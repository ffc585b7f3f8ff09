import type { RequestListener } from 'node:http'
import { createApp } from './app.js'
import type { Address, Config } from './config.js'
import { type Answerers, createListener, type Listener, listen } from './listener.js'

/** A service that listens. */
export interface RunningServer {
  /** Where browsers find it: the first address listened on. */
  readonly url: string
  /** All addresses, those of the CMS's side last. */
  readonly urls: readonly string[]
  /**
   * Stops gracefully: no new connections; streams and polls are closed with `shutdown`, requests under way are answered; what
   * is left after the drain time-out is cut. Calling it again gives the same promise.
   */
  close(): Promise<void>
}

/** How often, in ms, connections are looked at that have become idle while the server stops. */
const sweepEachMs = 50

/**
 * Starts the service and resolves once it takes subscribers on all its addresses.
 *
 * `maxConnections`: for the whole process, as the open-files limit allows; used where the configuration says 0.
 * @throws when an address cannot be listened on; nothing is left running then.
 */
export async function startServer(
  config: Config,
  maxConnections = Number.POSITIVE_INFINITY,
): Promise<RunningServer> {
  const app = await createApp(config)
  await app.browsers.ready()
  await app.control.ready()
  const most = config.maxConnections === 0 ? maxConnections : config.maxConnections
  const places = { free: most }
  const listeners: Listener[] = []
  const urls: string[] = []
  let isClosing = false
  const open = async (addresses: readonly Address[], answerers: Answerers) => {
    for (const address of addresses) {
      const http: RequestListener = (request, response) => {
        if (isClosing) response.setHeader('Connection', 'close')
        answerers.http(request, response)
      }
      const listener = createListener(config, { ...answerers, http }, places)
      urls.push(await listen(listener.server, address))
      listeners.push(listener)
    }
  }
  try {
    await open(config.listen, app.answerers)
    await open(config.controlListen, { http: app.control.routing, claim: () => 'http' })
  } catch (error) {
    for (const { server } of listeners) server.close()
    await app.close()
    throw error
  }
  const { log } = app.browsers
  log.info({ urls, maxConnections: Number.isFinite(most) ? most : null }, 'listening')
  const close = async () => {
    isClosing = true
    const connections = app.sites.reduce((sum, site) => sum + site.hub.size, 0)
    log.info({ connections }, 'stopping: everybody is asked to come back')
    const stopped = listeners.map(({ server }) => new Promise<void>(resolve => server.close(() => resolve())))
    app.drain()
    const sweep = setInterval(() => {
      for (const listener of listeners) listener.endIdle()
    }, sweepEachMs)
    const cut = setTimeout(() => {
      for (const listener of listeners) listener.cut()
    }, config.drainTimeoutMs)
    await Promise.all(stopped)
    clearInterval(sweep)
    clearTimeout(cut)
    await app.close()
    log.info({}, 'stopped')
  }
  let closed: Promise<void> | undefined
  return {
    url: urls[0] ?? '',
    urls,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
