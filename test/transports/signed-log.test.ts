import t from 'tap'
import { until } from '../helpers/calls.js'
import { createPair, fromNow, signGrant, signToken, startKeyServer } from '../helpers/jwt.js'
import { poll } from '../helpers/poll-reader.js'
import { errorAnswer, secret, startWatchedServer } from '../helpers/watched-server.js'

const jwtSecret = `${secret}-for-tokens`.padEnd(32, 'x')
const grantSecret = `${secret}-for-grants`.padEnd(32, 'x')

t.test('what is wrong with JWTs, grants and keys is in the log, and nothing of them', async t => {
  const keys = await startKeyServer(t)
  keys.answer = response => response.end(`<title>${secret}</title>`)
  const server = await startWatchedServer(
    t,
    `--jwt-secret=${jwtSecret}`,
    `--jwks-url=${keys.url}?key=${secret}`,
    `--jwt-audience=${secret}-push`,
    `--grant-secret=${grantSecret}`,
    '--anonymous-channels=lobby',
  )
  const exp = fromNow(60)
  const { privateKey } = await createPair('ES256', secret)
  const claims = { sub: secret, aud: `${secret}-push`, exp }
  const key = jwtSecret
  const tokens = [
    [await signToken({ ...claims, channels: [`${secret}\n`] }, { key }), 'claims.channels[0]'],
    [await signToken({ ...claims, aud: `${secret}-other` }, { key }), '"aud\\" claim'],
    [await signToken({ ...claims, exp: undefined }, { key }), '"exp\\" claim'],
  ] as const
  const answers: string[] = []
  for (const [token, logged] of tokens) {
    answers.push(token)
    t.match(await poll(server.url, { token }), errorAnswer(401, 'TOKEN_REFUSED'))
    await until(`${logged} in the log`, () => server.log.includes(logged))
  }
  const away = await signToken(claims, { key: privateKey, header: { alg: 'ES256', kid: secret } })
  t.match(await poll(server.url, { token: away }), errorAnswer(503, 'BUSY'))
  await until('the keys in the log', () => server.log.includes('the JWKS URL answered no JSON'))

  const grant = await signGrant({ channels: [`${secret}\n`], exp }, { key: grantSecret })
  t.match(await poll(server.url, { grants: [grant, secret] }), {
    status: 200,
    body: { ready: { refused: [{ grant: 0, reason: 'not valid' }, { grant: 1 }] } },
  })
  await until('the grant in the log', () => server.log.includes('a grant could not be used'))

  for (const token of [...answers, away, grant]) {
    for (const part of token.split('.')) t.notOk(server.log.includes(part))
  }
  await server.assertQuiet(t)
})
