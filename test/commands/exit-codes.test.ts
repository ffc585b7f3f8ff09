import t, { type Test } from 'tap'
import { startForeignServer } from '../helpers/foreign-server.js'
import { deadUrl } from '../helpers/listening.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { run } from '../helpers/terminal.js'

const secret = 'seCret-service-key-that-nobody-may-see'

/** Runs it with the key in the environment, and looks that nothing of it is repeated. */
async function told(t: Test, argv: readonly string[], url: string) {
  const ended = await run(t, argv, { env: { DOWNPIPE_URL: url, DOWNPIPE_SERVICE_KEY: secret } })
  t.notMatch(ended.out + ended.err, /seCret/)
  return ended
}

t.test('3: nobody answers, or not in time, or not to the end', async t => {
  const url = await deadUrl()
  t.match(await told(t, ['stats'], url), { code: 3, out: '', err: `${url}: the connection was refused` })
  const silent = await startForeignServer(t, () => {})
  const late = await told(t, ['publish', 'a', '1', '--timeout=200ms'], silent)
  t.match(late, { code: 3, err: 'no answer within 0.2 s' })
  const endless = await startForeignServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":')
  })
  t.match(await told(t, ['stats', '--timeout=200ms'], endless), { code: 3, err: 'did not end within 0.2 s' })
  const cutting = await startForeignServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('{"a":')
    setTimeout(() => response.destroy(), 50)
  })
  t.match(await told(t, ['stats'], cutting), { code: 3, err: 'the answer was cut off' })
  t.match(await told(t, ['tail', 'a', '--timeout=200ms'], silent), { code: 3, err: 'no answer within' })
})

t.test('4: a service key that is refused', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const argv of [['publish', 'a', '1'], ['stats'], ['kick', '5'], ['stats', '--watch'], ['tail', 'a']]) {
    t.match(await told(t, argv, server.url), { code: 4, out: '', err: /\(401, DOWNPIPE_/ }, argv.join(' '))
  }
})

t.test('1: an answer that is not Downpipe’s says whose it is, and what to try', async t => {
  const page = await startForeignServer(t, (_request, response) => {
    response
      .writeHead(502, { 'content-type': 'text/html', server: 'nginx/1.2\u009b31m' })
      .end('<h1>Bad Gateway')
  })
  const { code, err } = await told(t, ['stats'], page)
  t.equal(code, 1)
  t.match(err, `not Downpipe's: 502, text/html by nginx/1.2\\u009b31m; try: downpipe doctor ${page}\n`)
  const other = await startForeignServer(t, (_request, response) => response.end('"fine"'))
  t.match(await told(t, ['publish', 'a', '1'], other), { code: 1, err: 'the answer has no id' })
  t.match(await told(t, ['tail', 'a'], other), { code: 1, err: "the answer is not Downpipe's: 200" })
})

t.test('2: a command line that cannot be used, all that is wrong with it, and nobody is asked', async t => {
  const bad: readonly (readonly [readonly string[], RegExp])[] = [
    [['kick'], /too few arguments\n {2}usage: downpipe kick UID \[options\]/],
    [['users', 'a', 'b'], /too many arguments/],
    [['stats', '--whatch'], /--whatch: unknown option; did you mean --watch\?/],
    [['kick', '5', '--hold=long', '--timeout', '0'], /--hold: "long" .*\n {2}--timeout: "0" /],
    [['stats', '--key', 'seCret'], /--key: the value is not allowed; it must be 16 to 512/],
    [['stats', '--url', 'http://user:seCret@host'], /--url: "…@host" is not allowed/],
    [['stats', '--url', 'http://host/?token=seCret'], /--url: .* is not allowed/],
    [['stats', '--url', 'ftp://host'], /--url: "ftp:\/\/host" is not allowed/],
    [['stats', '--site', 'a/b'], /--site: "a\/b" is not allowed/],
    [
      ['stats', '--key-file', '/nowhere'],
      /--key-file: the file cannot be read \(ENOENT: no such file or directory\)/,
    ],
    [['stats', '--json', 'seCret'], /too many arguments/],
    [['token', '--uid=5', '--secret', 'seCret'], /--secret: the value is not allowed/],
  ]
  for (const [argv, message] of bad) {
    t.match(await told(t, argv, 'http://127.0.0.1:1'), { code: 2, out: '', err: message }, argv.join(' '))
  }
})

t.test('2: an environment that cannot be used is named, not repeated', async t => {
  const bad: readonly (readonly [Record<string, string>, string])[] = [
    [{}, 'no service key: give one by DOWNPIPE_SERVICE_KEY'],
    [{ DOWNPIPE_SERVICE_KEY: 'seCret' }, 'DOWNPIPE_SERVICE_KEY is not allowed; it must be 16 to 512'],
    [{ DOWNPIPE_SERVICE_KEY: serviceKey, DOWNPIPE_URL: 'seCret' }, 'DOWNPIPE_URL is not allowed'],
    [{ DOWNPIPE_SERVICE_KEY: serviceKey, DOWNPIPE_SITE: 'seCret' }, 'DOWNPIPE_SITE is not allowed'],
    [{ DOWNPIPE_SERVICE_KEY_FILE: 'seCret' }, 'DOWNPIPE_SERVICE_KEY_FILE: the file cannot be read'],
  ]
  for (const [env, message] of bad) {
    const ended = await run(t, ['stats'], { env })
    t.match(ended, { code: 2, out: '', err: message })
    t.notMatch(ended.err, 'seCret')
  }
})

t.test(
  'the key is found wherever it may be; the command line wins, and of several the first counts',
  async t => {
    const shown: (string | undefined)[] = []
    const url = await startForeignServer(t, (request, response) => {
      shown.push(`${request.headers.authorization} ${request.url}`)
      response.setHeader('content-type', 'application/json').end('{}')
    })
    const files = {
      one: '# the CMS\n\nkey-of-a-file-of-ours\nkey-of-a-file-second\n',
      two: 'key-that-may-publish operations=publish\nkey-that-may-all-things\n',
      three: 'key-that-may-publish operations=publish\n',
    }
    const env = { DOWNPIPE_SERVICE_KEY: 'key-of-environment-1, key-of-environment-2', DOWNPIPE_SITE: 'blog' }
    const stats = ['stats', '--url', `${url}/push/`]
    await run(t, [...stats, '--key=key-of-the-command-line'], { env, files })
    await run(t, [...stats, '--key-file=one', '--site=shop'], { env, files })
    await run(t, stats, { env, files })
    await run(t, stats, { env: { DOWNPIPE_SERVICE_KEY_FILE: 'one' }, files })
    await run(t, [...stats, '--key-file=two'], { files })
    await run(t, [...stats, '--key-file=three'], { files })
    t.strictSame(shown, [
      'Bearer key-of-the-command-line /push/sites/blog/v1/stats',
      'Bearer key-of-a-file-of-ours /push/sites/shop/v1/stats',
      'Bearer key-of-environment-1 /push/sites/blog/v1/stats',
      'Bearer key-of-a-file-of-ours /push/v1/stats',
      'Bearer key-that-may-all-things /push/v1/stats',
      'Bearer key-that-may-publish /push/v1/stats',
    ])
  },
)
