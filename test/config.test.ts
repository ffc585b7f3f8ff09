import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t from 'tap'
import { defaults, helpText, options, optionsMarkdown } from '../src/config.js'
import { key, load, otherKey, problems, withKey } from './helpers/config.js'

t.test('what nobody gives has the documented default', async t => {
  const { serviceKeys, ...config } = withKey({})
  t.strictSame(serviceKeys, [key])
  t.strictSame(config, {
    listen: [{ host: '127.0.0.1', port: 8080 }],
    controlListen: [],
    trustProxy: false,
    dev: false,
    logLevel: 'info',
    maxConnections: 0,
    connectionsPerAddress: 0,
    requestTimeoutMs: 10_000,
    maxUrlBytes: 7168,
    tcpKeepAliveMs: 15_000,
    drainTimeoutMs: 10_000,
    reconnectRate: 500,
    allowOrigins: [],
    allowLocalOrigins: false,
    anonymousChannels: [],
    maxTokenBytes: 4096,
    jwtSecrets: [],
    jwtClockToleranceMs: 5_000,
    grantSecrets: [],
    verifyTimeoutMs: 5000,
    verifyConcurrency: 16,
    verifyQueue: 10_000,
    verifyIdentities: 200_000,
    verifyTtlMs: 300_000,
    refusalTtlMs: 10_000,
    staleIfErrorMs: 86_400_000,
    verifyRate: 200,
    verifyBurst: 2000,
    heartbeatMs: 25_000,
    pollWaitMs: 25_000,
    outboxBytes: 1_048_576,
    slowAfterMs: 30_000,
    streamAgeMs: 3_600_000,
    presenceGraceMs: 5000,
    presenceQuietMs: 10_000,
    maxChannels: 200,
    maxChannelBytes: 200,
    maxDataBytes: 262_144,
    maxBodyBytes: 8_388_608,
    maxMessages: 1000,
    windowEntries: 100_000,
    windowAgeMs: 3_600_000,
    windowBytes: 268_435_456,
    idempotencyWindowMs: 300_000,
  })
  t.strictSame(defaults(), { ...config, serviceKeys: [] })
})

t.test('the command line wins over the environment, it over the file, it over the default', async t => {
  const files = { 'c.json': { heartbeat: 1, pollWait: 1, slowAfter: '1s' } }
  const env = { DOWNPIPE_CONFIG: 'c.json', DOWNPIPE_HEARTBEAT: '2s', DOWNPIPE_POLL_WAIT: '2' }
  const config = withKey({ argv: ['--heartbeat', '3s'], env, files })
  t.match(config, { heartbeatMs: 3000, pollWaitMs: 2000, slowAfterMs: 1000, streamAgeMs: 3_600_000 })
})

t.test('--config names another file than the environment does', async t => {
  const files = { a: { heartbeat: 1 }, b: { heartbeat: 2 } }
  t.equal(withKey({ argv: ['--config=b'], env: { DOWNPIPE_CONFIG: 'a' }, files }).heartbeatMs, 2000)
})

t.test('a list of a stronger source replaces that of a weaker one', async t => {
  const env = { DOWNPIPE_ALLOW_ORIGIN: 'https://a.example,https://b.example' }
  t.strictSame(withKey({ env }).allowOrigins, ['https://a.example', 'https://b.example'])
  t.strictSame(withKey({ env, argv: ['--allow-origin=https://c.example'] }).allowOrigins, [
    'https://c.example',
  ])
})

t.test('a list is repeated or separated by commas; equal items count once', async t => {
  const argv = ['--anonymous-channels', 'a, b*,', '--anonymous-channels=c', '--anonymous-channels', 'a']
  t.strictSame(withKey({ argv }).anonymousChannels, ['a', 'b*', 'c'])
})

t.test('of an option that is no list the last one on the command line counts', async t => {
  t.equal(withKey({ argv: ['--heartbeat', '3s', '--heartbeat', '4s'] }).heartbeatMs, 4000)
})

t.test('an option alone turns a flag on; = gives it a value', async t => {
  t.equal(withKey({ argv: ['--dev'] }).dev, true)
  t.equal(withKey({ argv: ['--dev=false'], env: { DOWNPIPE_DEV: 'true' } }).dev, false)
})

t.test('an empty variable counts as not given', async t => {
  const env = { DOWNPIPE_AUTH_URL: '', DOWNPIPE_HEARTBEAT: ' ', DOWNPIPE_DEV: undefined, OTHER: 'x' }
  t.strictSame(withKey({ env }), withKey({}))
})

t.test('a file holds strings, numbers, booleans and lists', async t => {
  const file = {
    listen: [8080, 'unix:/run/a,b.sock'],
    allowOrigin: 'https://a.example,https://b.example',
    trustProxy: true,
    dev: true,
    maxData: 1024,
    outbox: '64KB',
    heartbeat: 1.5,
    anonymousChannels: ['with, comma'],
  }
  t.match(withKey({ argv: ['--config', 'c'], files: { c: `\uFEFF${JSON.stringify(file)}` } }), {
    listen: [{ host: undefined, port: 8080 }, { path: '/run/a,b.sock' }],
    allowOrigins: ['https://a.example', 'https://b.example'],
    trustProxy: true,
    dev: true,
    maxDataBytes: 1024,
    outboxBytes: 65_536,
    heartbeatMs: 1500,
    anonymousChannels: ['with, comma'],
  })
})

t.test('the configuration is frozen in depth', async t => {
  for (const config of [withKey({}), load({ argv: ['--dev'] }), defaults({ allowOrigins: ['*'] })]) {
    t.ok(Object.isFrozen(config))
    for (const value of Object.values(config)) t.ok(Object.isFrozen(value))
    for (const address of config.listen) t.ok(Object.isFrozen(address))
  }
})

t.test('defaults takes overrides and leaves them as they were', async t => {
  const listen = [{ host: undefined, port: 0 }]
  const config = defaults({ listen, serviceKeys: [key], heartbeatMs: 5, authUrl: 'http://cms.example/' })
  t.match(config, { listen, serviceKeys: [key], heartbeatMs: 5, authUrl: 'http://cms.example/' })
  t.notOk(Object.isFrozen(listen))
})

t.test('service keys come from the option and from a file of keys', async t => {
  const files = { '/keys': `\uFEFF# for the CMS\r\n${otherKey}\r\n\r\n  ${key}  \r\n` }
  t.strictSame(withKey({ argv: ['--service-key-file', '/keys'], files }).serviceKeys, [key, otherKey])
  t.strictSame(load({ env: { DOWNPIPE_SERVICE_KEY_FILE: '/keys' }, files }).serviceKeys, [otherKey, key])
  t.strictSame(load({ env: { DOWNPIPE_SERVICE_KEY: `${key},${otherKey}` } }).serviceKeys, [key, otherKey])
  const c = { serviceKey: [key, otherKey] }
  t.strictSame(load({ argv: ['--config', 'c'], files: { c } }).serviceKeys, [key, otherKey])
  t.strictSame(load({ argv: ['--service-key', '-starts-with-a-dash'] }).serviceKeys, ['-starts-with-a-dash'])
})

t.test('--dev leaves alone what is given', async t => {
  const argv = ['--dev', '--service-key', key, '--anonymous-channels', 'public_*']
  const random = () => t.fail('no key is needed')
  t.match(
    load({ argv }, () => String(random())),
    { serviceKeys: [key], anonymousChannels: ['public_*'] },
  )
  t.match(problems({ argv: ['--dev', '--service-key=short'] }, load), [/^--service-key: value 1/])
})

t.test('Fastify takes every list of proxies that is allowed here', async t => {
  const list =
    '10.0.0.0/8,127.0.0.1,::1,fc00::/7,::ffff:10.0.0.0/104,0.0.0.0/1,loopback,linklocal,uniquelocal'
  const { trustProxy } = withKey({ argv: ['--trust-proxy', list] })
  t.type(trustProxy, Array)
  t.doesNotThrow(() =>
    Fastify({ trustProxy: typeof trustProxy === 'boolean' ? trustProxy : [...trustProxy] }),
  )
  for (const [text, value] of [
    ['true', true],
    ['false', false],
    ['loopback', ['loopback']],
  ] as const) {
    t.strictSame(withKey({ env: { DOWNPIPE_TRUST_PROXY: text } }).trustProxy, value)
  }
  t.match(problems({ argv: ['--trust-proxy', 'true,loopback'] }), [/^--trust-proxy: "true" is not allowed/])
})

t.test('the help has every option with its default and range, in lines of a terminal', async t => {
  const help = helpText()
  for (const { name, defaultText, limits, isFlag } of options) {
    t.match(help, `  --${name}`)
    if (!isFlag) t.match(help.replaceAll(/\s+/g, ' '), `default: ${defaultText}; ${limits}`)
  }
  t.strictSame(
    help.split('\n').filter(line => line.length > 79 || line !== line.trimEnd()),
    [],
  )
})

// To write the page anew: npx tsx -e "import('./src/config.ts').then(c => process.stdout.write(c.optionsMarkdown()))" > public/docs/options.md
t.test('the documentation page is the one that the table makes', async t => {
  const page = readFileSync(new URL('../public/docs/options.md', import.meta.url), 'utf8')
  t.equal(page, optionsMarkdown())
  const example = /```json\n([^`]*)```/.exec(page)?.[1] ?? ''
  const files = { c: example, '/etc/downpipe/keys': key }
  t.match(load({ argv: ['--config', 'c'], files }), { heartbeatMs: 25_000, serviceKeys: [key] })
})
