import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from './clock.js'
import { setCompilers } from './compilers.js'
import { registerControl } from './control/routes/index.js'
import { Downpipe } from './embedding/downpipe.js'
import { FunctionVerifier } from './embedding/function-verifier.js'
import { HookRunner } from './embedding/hooks.js'
import { type DownpipeOptions, type EmbeddedSite, readOptions } from './embedding/options.js'
import { guardStreams } from './embedding/stream-guard.js'
import { registerErrors } from './error-answers.js'
import { ProcessMonitor } from './metrics/process-figures.js'
import { registerBundledScript } from './public-files.js'
import { Site } from './site.js'
import { boundBySite, registerTransports } from './site-routes.js'
import { AddressCount } from './transports/address-count.js'
import { registerOrigin } from './transports/origin.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The service that this program embeds, under the name that `decorateAs` did not change. */
    downpipe: Downpipe
  }
}

/**
 * The service as a plugin of somebody's Fastify 5 app. Its routes, their parsers, error answers, CORS and log are its own; of the
 * app it has only the server, and a decoration: `app.downpipe`.
 *
 * @throws ConfigError with every problem of the options; an error where the app serves HTTP/2.
 */
async function embed(app: FastifyInstance, options: DownpipeOptions): Promise<void> {
  const embedded = readOptions(options)
  if ('http2' in app.initialConfig && app.initialConfig.http2 === true) {
    throw new Error('streams are written to sockets of their own: downpipe needs a server of HTTP/1.1')
  }
  const { config, name, prefix } = embedded
  const monitor = new ProcessMonitor()
  const logger = app.log.child({ site: name })
  const verifier = createVerifier(embedded)
  const runner = new HookRunner({
    hooks: embedded.hooks,
    site: name,
    clock: systemClock,
    logger,
    timeoutMs: embedded.hookTimeoutMs,
  })
  const site = new Site(config, {
    name,
    clock: systemClock,
    logger,
    processFigures: () => monitor.figures(),
    hooks: { verifier, review: runner.review, watcher: runner.watcher },
  })
  const closing = new AbortController()
  app.decorate(embedded.decorateAs, new Downpipe(name, site.control))
  await app.register(async scope => registerBundledScript(scope), { prefix })
  await app.register(
    async scope => {
      standAlone(scope, app.log)
      registerErrors(scope)
      await registerOrigin(scope, () => config)
      boundBySite(scope, site)
      scope.addHook('onRequest', async request => guardStreams(request.raw.socket))
      registerTransports(scope, site, {
        addresses: new AddressCount(config.connectionsPerAddress),
        callerOf: verifier && (request => verifier.callerOf(request)),
      })
      const { control, serviceKeys, clock } = site
      await registerControl(scope, { control, serviceKeys, clock, closing: closing.signal })
    },
    { prefix: `${prefix}/v1` },
  )
  let cancelCut = () => {}
  // Before the server waits for its connections to end, which streams never do by themselves.
  app.addHook('preClose', async () => {
    site.drain()
    closing.abort()
    cancelCut = systemClock.after(config.drainTimeoutMs, () => site.hub.cut())
  })
  app.addHook('onClose', async () => {
    cancelCut()
    await site.close()
    monitor.stop()
  })
  await site.start()
}

function createVerifier({ verify, config }: EmbeddedSite): FunctionVerifier | undefined {
  return (
    verify &&
    new FunctionVerifier({
      verify,
      clock: systemClock,
      timeoutMs: config.verifyTimeoutMs,
      maxChannelBytes: config.maxChannelBytes,
    })
  )
}

/** Makes the scope independent of how the app reads bodies, validates, serialises and logs. */
function standAlone(scope: FastifyInstance, log: FastifyBaseLogger): void {
  scope.removeAllContentTypeParsers()
  const parse = scope.getDefaultJsonParser('ignore', 'ignore')
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, parse)
  setCompilers(scope)
  scope.setReplySerializer(payload => JSON.stringify(payload))
  // The framework's own log of requests holds query strings, and so tokens. One for all, since one for each costs memory.
  const quiet = log.child({}, { level: ['silent', 'fatal'].includes(log.level) ? log.level : 'error' })
  scope.setChildLoggerFactory(() => quiet)
}

/** `app.register(downpipe, options)`. */
export const downpipe = fp(embed, { fastify: '5.x', name: 'downpipe' })
