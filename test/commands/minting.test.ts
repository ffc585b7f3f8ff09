import { jwtVerify } from 'jose'
import t from 'tap'
import { startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import { run } from '../helpers/terminal.js'

const secret = 'a-secret-of-more-than-thirty-two-bytes'
const other = 'another-secret-that-is-long-enough-too'
const bytes = new TextEncoder().encode(secret)

t.test('token signs what the server takes for the CMS’s answer', async t => {
  const argv = ['token', '--uid=5', '--channel=news,public_*', '--channel=a', '--expires=10m']
  const more = ['--visible-to=7', '--info={"name":"Ada"}', '--audience=push', '--secret', secret]
  const { code, out, err } = await run(t, [...argv, ...more])
  t.match({ code, err }, { code: 0, err: '' })
  const { payload, protectedHeader } = await jwtVerify(out.trim(), bytes, { audience: 'push' })
  t.strictSame(protectedHeader, { alg: 'HS256', typ: 'JWT' })
  const { iat = 0, exp = 0, ...claims } = payload
  t.equal(exp - iat, 600)
  t.ok(Math.abs(iat - Date.now() / 1_000) < 60)
  t.strictSame(claims, {
    sub: '5',
    channels: ['news', 'public_*', 'a'],
    visibleTo: ['7'],
    info: { name: 'Ada' },
    aud: 'push',
  })
})

t.test('grant signs what the server takes for a grant, and for no token', async t => {
  const argv = ['grant', '--channel=node_17', '--json']
  const { out } = await run(t, argv, { env: { DOWNPIPE_GRANT_SECRET: `${secret},${other}` } })
  const { grant, expires } = JSON.parse(out)
  const { payload, protectedHeader } = await jwtVerify(grant, bytes, { audience: 'default' })
  t.strictSame(protectedHeader, { alg: 'HS256', typ: 'downpipe-grant+jwt' })
  t.match(payload, { channels: ['node_17'], exp: expires, uid: undefined })
  const mine = await run(t, ['grant', '--channel=a', '--uid=5', '--site=blog', '--secret-file=s'], {
    files: { s: `${secret}\n` },
  })
  t.match((await jwtVerify(mine.out.trim(), bytes)).payload, { uid: '5', aud: 'blog' })
})

t.test('the command line wins over the file, and both over the environment', async t => {
  const env = { DOWNPIPE_JWT_SECRET: other }
  const argv = ['token', '--uid=5', '--secret-file=s']
  const fromFile = await run(t, argv, { env, files: { s: secret } })
  await t.resolves(jwtVerify(fromFile.out.trim(), bytes))
  const fromLine = await run(t, [...argv, '--secret', secret], { env, files: { s: other } })
  await t.resolves(jwtVerify(fromLine.out.trim(), bytes))
})

t.test('what is missing or not allowed is said, without the secret', async t => {
  const bad = [
    [['token', '--secret', secret], {}, /whose token\? give --uid/],
    [['token', '--uid=5'], {}, /no secret: give one by DOWNPIPE_JWT_SECRET/],
    [
      ['token', '--uid=5'],
      { DOWNPIPE_JWT_SECRET: 'shOrt' },
      /DOWNPIPE_JWT_SECRET is not allowed; it must be 32/,
    ],
    [['token', '--uid=5', '--secret-file=s'], {}, /--secret-file is not allowed/],
    [['token', '--uid=5', '--secret-file=shOrt'], {}, /--secret-file: the file cannot be read/],
    [['token', '--uid=5', '--info=shOrt{'], {}, /--info: .* must be JSON/],
    [['grant', '--secret', secret], {}, /for which channels\?/],
    [['grant', '--channel=a', '--expires=0'], {}, /--expires: "0" is not allowed/],
  ] as const
  for (const [argv, env, message] of bad) {
    const ended = await run(t, argv, { env, files: { s: 'shOrt' } })
    t.match(ended, { code: 2, out: '', err: message })
    if (!argv.some(word => word.startsWith('--info'))) t.notMatch(ended.err, 'shOrt')
  }
})

t.test('a server that knows the secrets lets their bearers in', async t => {
  const server = await startTestServer({ jwtSecrets: [secret], grantSecrets: [other], jwtAudience: 'push' })
  t.teardown(() => server.close())
  const minted = async (...argv: readonly string[]) => (await run(t, argv)).out.trim()
  const token = await minted('token', '--uid=5', '--channel=news', '--audience=push', '--secret', secret)
  const grant = await minted('grant', '--uid=5', '--channel=node_17', '--secret', other)
  const reader = new SseReader(server.url, { token, query: { grant } })
  t.teardown(() => reader.close())
  t.match((await reader.next('ready')).data, { uid: '5', channels: ['news', 'node_17'], refused: [] })
  t.strictSame(server.cms.asked, [], 'nobody was asked')
})
