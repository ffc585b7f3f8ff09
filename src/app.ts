import { stdout } from 'node:process'
import Fastify, { type FastifyInstance, type FastifyReply, LogController } from 'fastify'
import { systemClock } from './clock.js'
import { setCompilers } from './compilers.js'
import { allSites, type Config } from './config.js'
import { registerControl } from './control/routes/index.js'
import { errorBody, registerErrors } from './error-answers.js'
import { InvalidRequest } from './errors.js'
import { registerHealth } from './health.js'
import type { Answerers } from './listener.js'
import { ProcessMonitor } from './metrics/process-figures.js'
import { describeRoutes, hideRoutes, registerOpenApi } from './openapi.js'
import { registerScript } from './public-files.js'
import { Site } from './site.js'
import {
  boundBySite,
  pollOptions,
  registerTransports,
  siteAt,
  sitePrefix,
  streamOptions,
} from './site-routes.js'
import { AddressCount } from './transports/address-count.js'
import { registerOrigin } from './transports/origin.js'
import { PlainPolls } from './transports/plain-poll.js'
import { PlainStreams } from './transports/plain-stream.js'
import { trustOf } from './transports/visitor.js'

/**
 * Characters of a name in an address (a channel, a uid), percent-encoded. As many as the head of a request may have: how long a name
 * may be is said where it is read.
 */
const maxParamLength = 16_384

/** The service, put together and not listening yet. */
export interface App {
  /** Browsers' side; the CMS's side too, unless that has listeners of its own. */
  readonly browsers: FastifyInstance
  /** The CMS's side. */
  readonly control: FastifyInstance
  /** What answers where browsers come: streams as far as possible without HTTP, polls without the framework. */
  readonly answerers: Answerers
  /** The default one first, where it is there. */
  readonly sites: readonly Site[]
  /** Takes no more subscribers, closes those who are here, and ends what would go on for ever. */
  drain(): void
  /** Gives everything back. */
  close(): Promise<void>
}

/** Builds the sites and registers the plugins. */
export async function createApp(config: Config): Promise<App> {
  const browsers = createFastify(config)
  const control = config.controlListen.length === 0 ? browsers : createFastify(config)
  const monitor = new ProcessMonitor()
  const sites = allSites(config).map(({ name, config }) => {
    return new Site(config, {
      name,
      clock: systemClock,
      logger: browsers.log.child({ site: name }),
      processFigures: () => monitor.figures(),
    })
  })
  const closing = new AbortController()
  for (const app of new Set([browsers, control])) {
    registerErrors(app)
    // What belongs to no other site is for the top level to say.
    await registerOrigin(app, url => siteAt(url, sites)?.config ?? config)
    await describeRoutes(app)
    registerHealth(app, sites)
  }
  await registerScript(browsers)
  registerOpenApi(control, [browsers, control])
  // One for all: an address has as many connections as it may have, whatever sites they are to.
  const addresses = new AddressCount(config.connectionsPerAddress)
  for (const [index, site] of sites.entries()) {
    const options = { prefix: sitePrefix(site.name) }
    const prepare = (scope: FastifyInstance) => {
      if (index > 0) hideRoutes(scope)
      boundBySite(scope, site)
    }
    await browsers.register(async scope => {
      prepare(scope)
      registerTransports(scope, site, { addresses })
    }, options)
    const { serviceKeys, clock } = site
    await control.register(async scope => {
      prepare(scope)
      await registerControl(scope, { control: site.control, serviceKeys, clock, closing: closing.signal })
    }, options)
  }
  const partsOf = <Options>(path: string, optionsOf: (site: Site, addresses: AddressCount) => Options) => ({
    routes: new Map(sites.map(site => [sitePrefix(site.name) + path, optionsOf(site, addresses)] as const)),
    trust: trustOf(config.trustProxy),
    log: browsers.log,
  })
  const streams = new PlainStreams(partsOf('/stream', streamOptions))
  const polls = new PlainPolls(partsOf('/poll', pollOptions))
  for (const site of sites) await site.start()
  return {
    browsers,
    control,
    answerers: {
      http: (request, response) => {
        if (!polls.claim(request, response)) browsers.routing(request, response)
      },
      claim: (socket, bytes) => streams.claim(socket, bytes),
    },
    sites,
    drain: () => {
      // They all come back to the same machines, so it is spread over all of them together.
      const spreadMs = sites.reduce((sum, site) => sum + site.hub.spreadMs, 0)
      for (const site of sites) site.drain(spreadMs)
      closing.abort()
    },
    close: async () => {
      await browsers.close()
      if (control !== browsers) await control.close()
      for (const site of sites) await site.close()
      monitor.stop()
    },
  }
}

function createFastify(config: Config): FastifyInstance {
  const app = Fastify({
    // The framework's own request log and error answers print query strings, and so tokens.
    logController: new LogController({ disableRequestLogging: true }),
    // Written at once: what is left to the end of the process may be overtaken by what is written there.
    logger:
      config.logLevel === 'silent'
        ? false
        : { level: config.logLevel, serializers: { req: () => ({}) }, stream: stdout },
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      const body = errorBody(new InvalidRequest('the address is not well-formed'))
      void reply.code(body.statusCode).send(body)
    },
    // A logger for each request costs more memory than anything that it would say is worth.
    childLoggerFactory: logger => logger,
    trustProxy: typeof config.trustProxy === 'boolean' ? config.trustProxy : [...config.trustProxy],
    bodyLimit: config.maxBodyBytes,
    // A message's data is passed on and never merged into anything, so its keys may be called what they like.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength },
  })
  setCompilers(app)
  // The framework takes plain text for a body, too, which a form on any page can send.
  app.removeContentTypeParser('text/plain')
  return app
}
