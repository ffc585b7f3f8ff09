import t from 'tap'
import { options, siteOptions } from '../../src/config/options.js'
import { allSites } from '../../src/config.js'
import { key, load, otherKey, problems } from '../helpers/config.js'

/** Loads a file that holds this. */
function given(c: unknown, argv: readonly string[] = []) {
  return { argv: ['--config', 'c', ...argv], files: { c, '/blog.key': `${otherKey}\n` } }
}

const problemsOf = (c: unknown, argv?: readonly string[]) => problems(given(c, argv), load)

t.test('a file describes many sites, each with what is its own', async t => {
  const config = load(
    given({
      serviceKey: key,
      authUrl: 'https://main.example/auth',
      sites: {
        blog: { serviceKeyFile: '/blog.key', authUrl: 'https://blog.example/auth', windowAge: '5m' },
        'a-shop_2': {
          serviceKey: ['a-key-of-the-shop-1', 'a-key-of-the-shop-2'],
          anonymousChannels: 'public_*',
        },
      },
    }),
  )
  t.match(allSites(config), [
    { name: 'default', config: { serviceKeys: [key], authUrl: 'https://main.example/auth' } },
    {
      name: 'blog',
      config: { serviceKeys: [otherKey], authUrl: 'https://blog.example/auth', windowAgeMs: 300_000 },
    },
    {
      name: 'a-shop_2',
      config: {
        serviceKeys: ['a-key-of-the-shop-1', 'a-key-of-the-shop-2'],
        anonymousChannels: ['public_*'],
      },
    },
  ])
  t.ok(Object.isFrozen(config.sites[0]?.config.serviceKeys))
})

t.test('what is wrong with the keys of a site is said of that site', async t => {
  const keys = (name: string) => [
    `a-key-of-the-${name}-1`,
    `a-key-of-the-${name}-2 channels=${'x'.repeat(201)}`,
    `a-key-of-the-${name}-1 channels=a`,
  ]
  const found = problemsOf({
    sites: { blog: { serviceKey: keys('blog') }, shop: { serviceKey: keys('shop') } },
  })
  const limit = '--max-channel-bytes (by default), 200 bytes'
  t.strictSame(
    found,
    ['blog', 'shop'].flatMap(name => [
      `sites.${name} in c: one service key is given twice, restricted in different ways`,
      `sites.${name} in c: a service key has a channel that is longer than ${limit}`,
    ]),
  )
})

t.test(
  'a site inherits limits and origins of the top level, wherever they stand, unless it has its own',
  async t => {
    const c = {
      serviceKey: key,
      heartbeat: 10,
      maxData: '64KB',
      allowOrigin: 'https://www.example.com',
      sites: { blog: { serviceKey: otherKey, maxData: '1KB' } },
    }
    const config = load(given(c, ['--verify-timeout=1s', '--max-url=2KB']))
    t.match(config.sites[0]?.config, {
      heartbeatMs: 10_000,
      maxDataBytes: 1024,
      verifyTimeoutMs: 1000,
      maxUrlBytes: 2048,
      allowOrigins: ['https://www.example.com'],
      outboxBytes: 1_048_576,
    })
    t.equal(config.maxDataBytes, 65_536)
  },
)

t.test('a site never inherits who may do and read what', async t => {
  const c = {
    serviceKey: key,
    authUrl: 'https://main.example/auth',
    tokenCookie: 'sid',
    anonymousChannels: '*',
    sites: { blog: { serviceKey: otherKey } },
  }
  const [blog] = load(given(c)).sites
  t.match(blog?.config, { serviceKeys: [otherKey], anonymousChannels: [] })
  t.notOk(Object.hasOwn(Object(blog?.config), 'authUrl'))
  t.notOk(Object.hasOwn(Object(blog?.config), 'tokenCookie'))
  // Whatever is added to the table: secrets, addresses to call, files and cookies are each site's own.
  for (const { name, isSecret, placeholder, isOwn } of siteOptions) {
    if (isSecret || ['URL', 'FILE', 'NAME', 'CHANNELS'].includes(placeholder)) t.ok(isOwn, name)
  }
})

t.test('the site of the top level is there unless others are and it has no service key', async t => {
  const sites = { blog: { serviceKey: otherKey } }
  const names = (c: unknown, argv?: readonly string[]) =>
    allSites(load(given(c, argv))).map(({ name }) => name)
  t.strictSame(names({ sites }), ['blog'])
  t.strictSame(names({ sites, serviceKey: key }), ['default', 'blog'])
  t.strictSame(names({ sites }, ['--service-key', key]), ['default', 'blog'])
  t.strictSame(names({ sites: {}, serviceKey: key }), ['default'])
  t.strictSame(names({ sites }, ['--dev']), ['default', 'blog'])
  t.match(problemsOf({ sites: {} }), [/^no service key: /])
  t.strictSame(problemsOf({ sites, authUrl: 'https://main.example/auth', heartbeat: 5 }), [
    'authUrl in c: is of the site at the top level, which is not served without a service key; give it one, or move this into the sites',
  ])
})

t.test(
  '--dev makes a key for the top level only, and lets pages of this machine into every site',
  async t => {
    const sites = { blog: { serviceKey: otherKey } }
    t.match(load(given({ sites }, ['--dev'])), {
      serviceKeys: ['made-at-random-0123'],
      sites: [{ config: { serviceKeys: [otherKey], anonymousChannels: [], allowLocalOrigins: true } }],
    })
  },
)

t.test('what is wrong with sites is listed with everything else', async t => {
  const c = {
    maxData: '1KB',
    heartbeat: 'x',
    sites: {
      blog: { serviceKey: otherKey, heartbeat: 'soon', listen: 80, hartbeat: 1, sites: {}, dev: true },
      Shop: { serviceKey: 'a-key-of-the-shop-1' },
      default: { serviceKey: 'a-key-of-default-01' },
      'a\u001b': 5,
      keyless: {},
      short: { serviceKey: 'short' },
      large: { serviceKey: 'a-key-of-large-0001', maxData: '9MB', outbox: '9MB' },
    },
  }
  t.match(problemsOf(c, ['--service-key', key]), [
    /^heartbeat in c: "x" is not allowed/,
    'sites.blog.listen in c: is an option of the whole server; a site cannot have its own',
    'sites.blog.hartbeat in c: unknown option; did you mean heartbeat?',
    'sites.blog.sites in c: unknown option',
    'sites.blog.dev in c: is an option of the whole server; a site cannot have its own',
    /^sites\.blog\.heartbeat in c: "soon" is not allowed; it must be a duration/,
    'sites.Shop in c: is not allowed as a name; it must be a-z, 0-9, - and _, at most 63 characters',
    'sites.default in c: this is the name of the site that the top level describes; take another',
    'sites.a\uFFFD in c: is not allowed as a name; it must be a-z, 0-9, - and _, at most 63 characters',
    'sites.a\uFFFD in c: must hold one JSON object of options',
    'sites.a\uFFFD in c: no service key: give it one by serviceKey or serviceKeyFile',
    'sites.keyless in c: no service key: give it one by serviceKey or serviceKeyFile',
    /^sites\.short\.serviceKey in c: value 1 is not allowed/,
    'sites.large.maxData in c: 9MB is more than --max-body (by default), 8MB: no publish call could carry such a message',
  ])
  for (const sites of [[], 'blog', null, 5]) {
    t.match(problemsOf({ serviceKey: key, sites }), [/^sites in c: must hold one JSON object, such as/])
  }
  t.match(problemsOf({ serviceKey: key, site: { blog: {} } }), [/^site in c: unknown option/])
})

t.test('what every site inherits is told once', async t => {
  const sites = { blog: { serviceKey: otherKey }, shop: { serviceKey: 'a-key-of-the-shop-1' } }
  t.strictSame(problemsOf({ serviceKey: key, maxData: '9MB', outbox: '9MB', sites }), [
    'maxData in c: 9MB is more than --max-body (by default), 8MB: no publish call could carry such a message',
  ])
})

t.test('two sites with one secret are refused, without telling it', async t => {
  const sites = {
    blog: { serviceKeyFile: '/blog.key' },
    shop: { serviceKey: ['a-key-of-the-shop-1', otherKey] },
    wiki: { serviceKey: [key, key] },
  }
  t.strictSame(problemsOf({ sites }, ['--service-key', key]), [
    'sites.shop.serviceKey in c: has a secret that sites.blog.serviceKeyFile in c has, too; each site must have its own',
    'sites.wiki.serviceKey in c: has a secret that --service-key has, too; each site must have its own',
  ])
})

t.test('a key is a shared secret also where it may do less in one of the sites', async t => {
  const sites = {
    blog: { serviceKey: [{ key: otherKey, operations: ['publish'] }, key] },
    shop: { serviceKeyFile: '/blog.key' },
  }
  t.strictSame(problemsOf({ sites }), [
    'sites.shop.serviceKeyFile in c: has a secret that sites.blog.serviceKey in c has, too; each site must have its own',
  ])
})

t.test('a file of keys of one site is read for that site alone', async t => {
  const sites = { blog: { serviceKeyFile: '/nowhere' }, shop: { serviceKey: key } }
  t.strictSame(problemsOf({ sites }), [
    'sites.blog.serviceKeyFile in c: the file cannot be read (ENOENT: no such file or directory)',
  ])
})

t.test('no option is both the process’s and a site’s', async t => {
  const names = new Set(siteOptions.map(({ name }) => name))
  t.equal(names.size, siteOptions.length)
  for (const name of [
    'listen',
    'control-listen',
    'trust-proxy',
    'dev',
    'log-level',
    'drain-timeout',
    'config',
  ]) {
    t.notOk(names.has(name), name)
  }
  t.ok(siteOptions.every(option => options.includes(option)))
})
