import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import t from 'tap'
import { ServiceKeys } from '../../src/auth/service-key.js'
import { systemClock } from '../../src/clock.js'
import { defaults } from '../../src/config.js'
import { registerPermission, rightsOf } from '../../src/control/routes/permission.js'
import { registerErrors } from '../../src/error-answers.js'
import { Site } from '../../src/site.js'

const site = new Site(defaults({ serviceKeys: ['a-key-of-sixteen-or-more'] }), {
  clock: systemClock,
  logger: { info: () => {}, warn: () => {} },
  processFigures: () => ({
    memory: { rssBytes: 0, heapUsedBytes: 0, externalBytes: 0 },
    eventLoop: { meanMs: 0, p99Ms: 0, maxMs: 0 },
  }),
})
t.teardown(() => site.close())

function guarded() {
  const app = Fastify({ exposeHeadRoutes: false }).withTypeProvider<TypeBoxTypeProvider>()
  registerErrors(app, { maxBodyBytes: 1_000 })
  registerPermission(app, {
    control: site.control,
    serviceKeys: new ServiceKeys(['a-key-of-sixteen-or-more']),
    clock: systemClock,
    closing: new AbortController().signal,
  })
  return app
}

t.test('a route that does not say its operation keeps the server from starting', async t => {
  const app = guarded()
  t.throws(() => app.get('/forgotten', async () => ({})), {
    message: 'the route /forgotten names no operation',
  })
})

t.test('the rights are known to the handler, and asked for elsewhere they are a fault', async t => {
  const app = guarded()
  t.teardown(() => app.close())
  app.get('/x', { config: { operation: 'stats' } }, async request => ({
    may: rightsOf(request).allows('kick'),
  }))
  const headers = { authorization: 'Bearer a-key-of-sixteen-or-more' }
  t.strictSame((await app.inject({ url: '/x', headers })).json(), { may: true })
  t.match((await app.inject('/x')).json(), { code: 'DOWNPIPE_SERVICE_KEY_REQUIRED' })
  const open = Fastify()
  t.teardown(() => open.close())
  open.get('/x', async request => ({ may: rightsOf(request).allows('kick') }))
  t.equal((await open.inject({ url: '/x', headers })).statusCode, 500)
})
