import { stdout } from 'node:process'
import Fastify, { type FastifyInstance, type FastifyReply, LogController } from 'fastify'
import { systemClock } from './clock.js'
import { setCompilers } from './compilers.js'
import type { Config } from './config.js'
import { registerControl } from './control/routes/index.js'
import { errorBody, registerErrors } from './error-answers.js'
import { InvalidRequest } from './errors.js'
import { registerHealth } from './health.js'
import { ProcessMonitor } from './metrics/process-figures.js'
import { describeRoutes, registerOpenApi } from './openapi.js'
import { registerScript } from './public-files.js'
import { Site } from './site.js'
import { AddressCount } from './transports/address-count.js'
import { registerPoll } from './transports/long-poll.js'
import { registerOrigin } from './transports/origin.js'
import { registerStream } from './transports/sse.js'

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
  readonly site: Site
  /** Takes no more subscribers, closes those who are here, and ends what would go on for ever. */
  drain(): void
  /** Gives everything back. */
  close(): Promise<void>
}

/** Builds the site and registers the plugins. */
export async function createApp(config: Config): Promise<App> {
  const browsers = createFastify(config)
  const control = config.controlListen.length === 0 ? browsers : createFastify(config)
  const monitor = new ProcessMonitor()
  const site = new Site(config, {
    clock: systemClock,
    logger: browsers.log,
    processFigures: () => monitor.figures(),
  })
  const closing = new AbortController()
  for (const app of new Set([browsers, control])) {
    registerErrors(app, config)
    await registerOrigin(app, config)
    await describeRoutes(app)
    registerHealth(app, site)
  }
  await registerScript(browsers)
  registerOpenApi(control, [browsers, control])
  await browsers.register(async v1 => registerTransports(v1, site), { prefix: '/v1' })
  await control.register(
    async v1 =>
      registerControl(v1, {
        control: site.control,
        serviceKeys: site.serviceKeys,
        clock: site.clock,
        closing: closing.signal,
      }),
    { prefix: '/v1' },
  )
  await site.start()
  return {
    browsers,
    control,
    site,
    drain: () => {
      site.drain()
      closing.abort()
    },
    close: async () => {
      await browsers.close()
      if (control !== browsers) await control.close()
      await site.close()
      monitor.stop()
    },
  }
}

function registerTransports(app: FastifyInstance, site: Site): void {
  const { config, clock, hub, authenticator, memberships, grants } = site
  const options = {
    authenticator,
    memberships,
    grants,
    clock,
    hub,
    anonymousChannels: config.anonymousChannels,
    heartbeatMs: config.heartbeatMs,
    staleIfErrorMs: config.staleIfErrorMs,
    limits: config,
    tokenCookie: config.tokenCookie,
    isServing: () => site.isServing,
    addresses: new AddressCount(config.connectionsPerAddress),
    streamAgeMs: config.streamAgeMs,
    pollWaitMs: config.pollWaitMs,
  }
  registerStream(app, options)
  registerPoll(app, options)
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
