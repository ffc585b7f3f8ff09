import Fastify from 'fastify'
import t from 'tap'
import { readOptions } from '../../src/embedding/options.js'
import downpipe, { ConfigError, type DownpipeOptions } from '../../src/index.js'
import { serviceKey, startHost } from '../helpers/embedded.js'

/** The problems of options, which need not be of the right types. */
function problems(options: Record<string, unknown>): readonly string[] {
  try {
    readOptions(options)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

t.test('options are the site’s, by their names in the configuration: ms, bytes and lists', async t => {
  const options: DownpipeOptions = {
    prefix: '/push',
    name: 'shop',
    decorateAs: 'shopPush',
    heartbeatMs: 1_500,
    maxDataBytes: 2_048,
    staleIfErrorMs: 0,
    allowOrigins: ['https://www.example.com'],
    anonymousChannels: ['with, comma', 'public_*'],
    serviceKeys: [serviceKey],
    tokenCookie: undefined,
    maxUrlBytes: 1_024,
    hookTimeoutMs: 50,
    allowLocalOrigins: true,
  }
  t.match(readOptions(options), {
    prefix: '/push',
    name: 'shop',
    decorateAs: 'shopPush',
    hookTimeoutMs: 50,
    config: {
      heartbeatMs: 1_500,
      maxDataBytes: 2_048,
      staleIfErrorMs: 0,
      allowOrigins: ['https://www.example.com'],
      anonymousChannels: ['with, comma', 'public_*'],
      serviceKeys: [serviceKey],
      maxUrlBytes: 1_024,
      allowLocalOrigins: true,
      pollWaitMs: 25_000,
    },
  })
  t.match(readOptions({}), { prefix: '', name: 'default', decorateAs: 'downpipe', hookTimeoutMs: 5_000 })
})

t.test('all that is wrong with the options is told at once, and no key', async t => {
  const found = problems({
    heartbeat: '25s',
    heartbeatMs: 5,
    pollWaitMs: true,
    maxDataBytes: '9MB',
    listen: [],
    trustProxy: true,
    serviceKeyFile: '/keys',
    serviceKeys: ['short', 5],
    allowOrigins: ['www.example.com'],
    verify: 'yes',
    onPublish: 1,
    authUrl: 'https://cms.example/auth',
    prefix: '/push/',
    name: 'A Shop',
    decorateAs: '',
    hookTimeoutMs: 0,
    onPublsh: () => {},
  })
  t.match(found, [
    'heartbeat: unknown option; did you mean heartbeatMs?',
    /^pollWaitMs: "true" is not allowed; it must be a duration/,
    'listen: is for the program that embeds the service to decide',
    'trustProxy: is for the program that embeds the service to decide',
    'serviceKeyFile: is for the program that embeds the service to decide',
    /^serviceKeys: a number is not allowed/,
    'verify: must be a function',
    'onPublish: must be a function',
    'prefix: must be a path such as /push, without a slash at its end',
    'name: must be a-z, 0-9, - and _, at most 63 characters',
    'decorateAs: must be a name of letters and digits',
    'onPublsh: unknown option; did you mean onPublish?',
    /^heartbeatMs: "5ms" is not allowed; it must be a duration .* from 1s to 1h/,
    /^allowOrigins: "www.example.com" is not allowed/,
    /^hookTimeoutMs: "0ms" is not allowed/,
    /^maxDataBytes: 9MB is more than --max-body \(by default\), 8MB/,
    /^maxDataBytes: 9MB is more than --outbox/,
    'verify: is in place of authUrl; give one of them',
  ])
  t.match(problems({ serviceKeys: ['shört'] }), [/^serviceKeys: value 1 is not allowed/])
  t.match(problems({ authUrl: 'https://cms.example/auth' }), [/^authUrl: the CMS is shown a service key/])
})

t.test('an app with options that are wrong does not start', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(downpipe, { heartbeatMs: 5 })
  await t.rejects(async () => await app.ready(), { name: 'ConfigError', problems: [/^heartbeatMs/] })
  const http2 = Fastify({ http2: true })
  http2.register(downpipe, {})
  await t.rejects(async () => await http2.ready(), { message: /HTTP\/1/ })
})

t.test('two of them under different prefixes are two sites', async t => {
  const { app, url, post } = await startHost(t, {
    services: [
      {
        prefix: '/blog',
        name: 'blog',
        decorateAs: 'blog',
        anonymousChannels: ['*'],
        serviceKeys: [serviceKey],
      },
      { prefix: '/shop', name: 'shop', decorateAs: 'shop', verify: () => null },
    ],
  })
  t.notOk(app.hasDecorator('downpipe'))
  t.match(await post('/blog/v1/publish', { channel: 'a', data: 1 }), { status: 200 })
  t.match(await post('/shop/v1/publish', { channel: 'a', data: 1 }), { status: 401 })
  t.match(Reflect.get(app, 'blog').stats(), { messages: 1 })
  t.match(Reflect.get(app, 'shop').stats(), { messages: 0 })
  t.match(await fetch(`${url}/blog/v1/poll?channel=a&since=0`), { status: 200 })
  t.match(await fetch(`${url}/shop/v1/poll?channel=a&since=0`), { status: 401 })
})
