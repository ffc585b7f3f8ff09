import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config.js'
import { key, load, otherKey, problems } from '../helpers/config.js'

t.test('all problems are listed at once, with key, source, value and what is allowed', async t => {
  const found = problems(
    {
      argv: ['--heartbeat', '0', '--config', '/etc/downpipe.json', '--log-level=loud'],
      env: { DOWNPIPE_OUTBOX: '1KB', DOWNPIPE_VERIFY_RATE: '-1' },
      files: { '/etc/downpipe.json': { pollWait: 'long', maxMessages: 1.5, allowOrigin: ['x', 'y'] } },
    },
    load,
  )
  t.strictSame(found, [
    '--heartbeat: "0" is not allowed; it must be a duration such as 250ms, 25s, 5m or 1h, from 1s to 1h',
    '--log-level: "loud" is not allowed; it must be one of fatal, error, warn, info, debug, silent',
    'DOWNPIPE_OUTBOX: "1KB" is not allowed; it must be a size such as 500, 64KB, 1MB or 2GB, from 64KB to 1GB',
    'DOWNPIPE_VERIFY_RATE: "-1" is not allowed; it must be a whole number, from 1 to 1000000, or 0: off',
    'pollWait in /etc/downpipe.json: "long" is not allowed; it must be a duration such as 250ms, 25s, 5m or 1h, from 1s to 5m',
    'maxMessages in /etc/downpipe.json: "1.5" is not allowed; it must be a whole number, from 1 to 100000',
    ...['"x"', '"y"'].map(
      value =>
        `allowOrigin in /etc/downpipe.json: ${value} is not allowed; it must be https://HOST or https://HOST:PORT (or http://), without a path or a slash at the end, or * for all`,
    ),
    'no service key: give one by --service-key, --service-key-file, DOWNPIPE_SERVICE_KEY or serviceKey in the file (--dev makes one)',
  ])
  t.match(new ConfigError(found).message, /^9 problems in the configuration:\n {2}--heartbeat: /)
  t.match(new ConfigError(['x']).message, /^1 problem in the configuration:\n {2}x$/)
  t.ok(Object.isFrozen(new ConfigError(found).problems))
})

t.test('a wrong value is a problem also where a stronger source hides it', async t => {
  const found = problems({ argv: ['--heartbeat=3s'], env: { DOWNPIPE_HEARTBEAT: 'x' } })
  t.match(found, [/^DOWNPIPE_HEARTBEAT: "x" is not allowed/])
})

t.test('an unknown name is a problem everywhere, with the one that was probably meant', async t => {
  const meant: readonly (readonly [string, string | undefined])[] = [
    ['--hartbeat', '--heartbeat'],
    ['--maxData', '--max-data'],
    ['--origin', '--allow-origin'],
    ['--heartbeat-ms', '--heartbeat'],
    ['--hlep', '--help'],
    ['--key', undefined],
    ['--__proto__', undefined],
    ['--path-prefix', undefined],
    ['-p', undefined],
  ]
  for (const [name, near] of meant) {
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    t.strictSame(problems({ argv: [name, 'value'] }), [`${name}: unknown option${hint}`])
    t.strictSame(problems({ argv: [`${name}=value`] }), [`${name}: unknown option${hint}`])
  }
  t.strictSame(problems({ env: { DOWNPIPE_HARTBEAT: '1', DOWNPIPE_: '1' } }), [
    'DOWNPIPE_HARTBEAT: unknown option; did you mean DOWNPIPE_HEARTBEAT?',
    'DOWNPIPE_: unknown option',
  ])
  const c = '{"max-data": 1, "heartbeatMs": 1, "config": "d", "__proto__": 1, "toString": 1, "a\\u001b": 1}'
  t.strictSame(problems({ argv: ['--config', 'c'], files: { c } }), [
    'max-data in c: unknown option; did you mean maxData?',
    'heartbeatMs in c: unknown option; did you mean heartbeat?',
    'config in c: unknown option',
    '__proto__ in c: unknown option',
    'toString in c: unknown option',
    'a\uFFFD in c: unknown option',
  ])
})

t.test('variables that Kubernetes makes for a service named downpipe are no problem', async t => {
  const env = {
    DOWNPIPE_SERVICE_HOST: '10.0.0.1',
    DOWNPIPE_SERVICE_PORT: '8080',
    DOWNPIPE_SERVICE_PORT_HTTP: '8080',
    DOWNPIPE_PORT: 'tcp://10.0.0.1:8080',
    DOWNPIPE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    DOWNPIPE_PORT_8080_TCP_ADDR: '10.0.0.1',
    DOWNPIPE_CONTROL_SERVICE_HOST: '10.0.0.2',
    DOWNPIPE_CONTROL_PORT: 'tcp://10.0.0.2:8081',
  }
  t.strictSame(problems({ env }), [])
  t.strictSame(problems({ env: { DOWNPIPE_PORT: '8080' } }), ['DOWNPIPE_PORT: unknown option'])
})

t.test('-h, --help, -v and --version are not unknown', async t => {
  t.strictSame(problems({ argv: ['-h', '-v', '--help', '--version'] }), [])
  t.strictSame(problems({ env: { DOWNPIPE_HELP: '1' } }), ['DOWNPIPE_HELP: unknown option'])
})

t.test('an option without its value does not swallow the next option', async t => {
  const needed = /^--heartbeat: has no value; it must be a duration/
  for (const argv of [
    ['--heartbeat', '--dev'],
    ['--dev', '--heartbeat='],
    ['--heartbeat', '--outbox=1MB'],
  ]) {
    t.match(problems({ argv }), [needed])
  }
  t.match(problems({ argv: ['--heartbeat', '--outbox', '1MB', '--config'] }), [
    needed,
    /^--config: has no value/,
  ])
  t.match(problems({ argv: ['--heartbeat', '-5'] }), [/^--heartbeat: "-5" is not allowed/])
  t.match(problems({ argv: ['--allow-origin', ','] }), [/^--allow-origin: has no value/])
})

t.test('an argument that belongs to no option is a problem, and is not repeated', async t => {
  const argv = ['serve', '--service-key', key, otherKey, '--', '--heartbeat']
  t.strictSame(
    problems({ argv }, load),
    [1, 4, 6].map(
      n => `argument ${n}: belongs to no option; options start with --, commas separate the items of a list`,
    ),
  )
})

t.test('a value of the wrong type in a file is a problem', async t => {
  const c = { heartbeat: true, dev: 1, authUrl: 5, listen: { port: 1 }, logLevel: null, allowOrigin: [1, []] }
  t.match(problems({ argv: ['--config', 'c'], files: { c } }), [
    /^heartbeat in c: "true" is not allowed; it must be a duration/,
    /^dev in c: "1" is not allowed; it must be true or false$/,
    /^authUrl in c: "5" is not allowed/,
    /^listen in c: an object is not allowed/,
    /^logLevel in c: null is not allowed/,
    /^allowOrigin in c: "1" is not allowed/,
    /^allowOrigin in c: a list is not allowed/,
  ])
})

t.test('a file that cannot be used is a problem beside the others', async t => {
  const found = (c?: string) => problems({ argv: ['--config', 'c', '--dev=maybe'], files: { c } })
  const dev = /^--dev: "maybe" is not allowed/
  t.match(found(), ['--config: "c": the file cannot be read (ENOENT: no such file or directory)', dev])
  t.match(found('{\n "dev": true,\n}'), ['c: is not valid JSON (line 3, column 1)', dev])
  for (const text of ['[]', 'null', '1']) t.match(found(text), [/^c: must hold one JSON object/, dev])
})

t.test('a file of keys that cannot be used is a problem, told without its path', async t => {
  const found = (file?: string) =>
    problems({ argv: [`--service-key-file=${key}`], files: { [key]: file } }, load)
  t.strictSame(found(), ['--service-key-file: the file cannot be read (ENOENT: no such file or directory)'])
  t.strictSame(found('# none\n\n'), ['--service-key-file: the file holds no key'])
  t.match(found(`${otherKey}\nshort\n`), [
    /^--service-key-file: line 2 of the file is not allowed; it must be a key of 16/,
  ])
  const readFile = () => {
    throw new Error(`${key} is bad`)
  }
  const by = () => loadConfig({ argv: ['--service-key-file=x'], env: {}, readFile, random: () => key })
  t.strictSame(problems({}, by), ['--service-key-file: the file cannot be read'])
})

t.test('no problem shows a service key', async t => {
  const secret = 'S3CRET'
  const c = { serviceKey: [secret, 5, [secret]], serviceKeys: secret }
  const files = { c, broken: `{"serviceKey": ${secret}}`, keys: `${secret} ${secret}` }
  for (const argv of [
    ['--service-key', secret],
    [`--service-key=${key},${secret}é`],
    ['--service-key-file', secret],
    ['--service-key-file', 'keys'],
    ['--servce-key', secret],
    [`--servce-key=${secret}`],
    ['--service-key', key, secret],
    [`-k${secret}`],
    ['--config', 'c'],
    ['--config', 'broken'],
    ['--auth-url', `https://user:${secret}@cms.example/`],
    ['--auth-url', `cms.example/auth?key=${secret}`],
    ['--allow-origin', `https://${secret}@cms.example`],
  ]) {
    const found = problems({ argv, env: { DOWNPIPE_SERVICE_KEY: `${secret} ${secret}` }, files }, load)
    t.ok(found.length > 1)
    t.notMatch(found.join('\n'), secret)
  }
  t.strictSame(problems({ argv: ['-kS3CRET'] }), ['-k: unknown option'])
  t.match(problems({ argv: [`--service-key=${key},x`] }), [
    /^--service-key: value 2 is not allowed; it must be 16/,
  ])
})

t.test('each secret is for one use, wherever it comes from', async t => {
  const [one, two, three] = ['1', '2', '3'].map(letter => letter.repeat(32))
  const files = { keys: `${one}\n` }
  t.strictSame(problems({ argv: [`--jwt-secret=${one},${two}`, `--grant-secret=${three}`], files }), [])
  const found = problems({
    argv: [`--service-key=${three}`, '--service-key-file=keys', `--jwt-secret=${two},${one}`],
    env: { DOWNPIPE_GRANT_SECRET: `${one},${two},${three}` },
    files,
  })
  const same = (name: string, other: string) =>
    `${name}: has a secret that ${other} has, too; each needs one of its own`
  t.strictSame(found, [
    same('--jwt-secret', '--service-key-file'),
    same('DOWNPIPE_GRANT_SECRET', '--service-key'),
    same('DOWNPIPE_GRANT_SECRET', '--service-key-file'),
    same('DOWNPIPE_GRANT_SECRET', '--jwt-secret'),
  ])
})

t.test('a secret that could be guessed is refused, and never shown', async t => {
  const short = 'x'.repeat(31)
  for (const name of ['jwt-secret', 'grant-secret']) {
    const found = problems({ argv: [`--${name}=${short}`] })
    t.strictSame(found, [
      `--${name}: value 1 is not allowed; it must be 32 to 512 printable ASCII characters without spaces or commas`,
    ])
  }
  t.match(
    problems({ argv: ['--jwt-audience=a b', '--jwks-url=ftp://cms/keys', '--jwt-clock-tolerance=1h'] }),
    [
      /^--jwt-audience: "a b" is not allowed/,
      /^--jwks-url: "ftp:\/\/cms\/keys" is not allowed/,
      /^--jwt-clock-tolerance: "1h" is not allowed; .* from 1s to 5m, or 0: none$/,
    ],
  )
})

t.test('without a service key there is no configuration, unless --dev makes one', async t => {
  t.match(problems({}, load), [/^no service key: .*--dev makes one/])
  t.match(problems({ argv: ['--config', 'c'], files: { c: { serviceKey: [] } } }, load), [/^no service key/])
  t.match(problems({ argv: ['--service-key', 'short'] }, load), [/^--service-key: value 1/], 'told once')
  t.match(load({ argv: ['--dev'] }), {
    dev: true,
    serviceKeys: ['made-at-random-0123'],
    anonymousChannels: ['*'],
    allowLocalOrigins: true,
  })
})

t.test('a message must fit into a publish call, an outbox and the window', async t => {
  t.strictSame(problems({ argv: ['--max-data=9MB', '--outbox=9MB'] }), [
    '--max-data: 9MB is more than --max-body (by default), 8MB: no publish call could carry such a message',
  ])
  t.strictSame(problems({ argv: ['--max-data=1025KB'], env: { DOWNPIPE_WINDOW_BYTES: '1000000' } }), [
    '--max-data: 1025KB is more than --outbox (by default), 1MB: such a message would fill every outbox by itself',
    '--max-data: 1025KB is more than DOWNPIPE_WINDOW_BYTES, 1000000: the window could not hold such a message',
  ])
  t.strictSame(problems({ argv: ['--max-data=64KB', '--outbox=64KB', '--max-body=64KB'] }), [])
  t.match(problems({ argv: ['--max-data=9MB', '--max-body=0', '--outbox=9MB'] }), [/^--max-body: "0" is not/])
})

t.test('two listeners cannot have one address', async t => {
  const same = (one: string, other: string) =>
    problems({ argv: ['--listen', one, '--control-listen', other] })
  t.strictSame(same('127.0.0.1:8081', '127.0.0.1:8081'), [
    '--control-listen: 127.0.0.1:8081 is already an address of --listen; it must be another one',
  ])
  t.match(problems({ env: { DOWNPIPE_CONTROL_LISTEN: '8080' } }), [
    /^DOWNPIPE_CONTROL_LISTEN: 8080 is already an address of --listen \(by default\)/,
  ])
  for (const [one, other] of [
    ['8081', '127.0.0.1:8081'],
    ['[::1]:8081', '[::]:8081'],
    ['0.0.0.0:8081', '127.0.0.1:8081'],
    ['Example.com:8081', 'example.com:8081'],
    ['unix:/run/d.sock', 'unix:/run/d.sock'],
  ] as const) {
    t.equal(same(one, other).length, 1, `${one} and ${other}`)
  }
  for (const [one, other] of [
    ['0', '0'],
    ['0.0.0.0:8081', '[::1]:8081'],
    ['127.0.0.1:8081', '127.0.0.1:8082'],
    ['unix:/run/d.sock', 'unix:/run/e.sock'],
    ['8081', 'unix:/run/e.sock'],
  ] as const) {
    t.strictSame(same(one, other), [], `${one} and ${other}`)
  }
  t.strictSame(problems({ argv: ['--listen', '8081,[::1]:8081'] }), [
    '--listen: [::1]:8081 and 8081 are the same address',
  ])
  t.strictSame(problems({ argv: ['--config', 'c'], files: { c: { listen: [] } } }), [
    'listen in c: has no address',
  ])
  t.match(problems({ argv: ['--listen=8081,x', '--control-listen=8081'] }), [/^--listen: "x" is not allowed/])
})

t.test('an anonymous channel fits into a channel name', async t => {
  const found = (name: string) => problems({ argv: ['--anonymous-channels', name, '--max-channel-bytes=4'] })
  t.strictSame(found('abcd*'), [])
  t.strictSame(found('äöü'), [
    '--anonymous-channels: has a name that is longer than --max-channel-bytes, 4 bytes',
  ])
})
