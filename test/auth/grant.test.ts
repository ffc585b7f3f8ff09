import t from 'tap'
import { type Grant, GrantVerifier } from '../../src/auth/grant.js'
import { FakeClock } from '../helpers/clock.js'
import { createPair, forge, fromNow, grantSecret, jwtSecret, signGrant } from '../helpers/jwt.js'

const otherSecret = 'another-secret-of-more-than-32-bytes'
const notValid = { isGenuine: false, reason: 'not valid' }

function begin(secrets: readonly string[] = [grantSecret], site = 'default') {
  const clock = new FakeClock()
  const problems: string[] = []
  const verifier = new GrantVerifier({
    clock,
    secrets,
    site,
    toleranceMs: 5_000,
    maxChannelBytes: 20,
    onProblem: problem => problems.push(problem),
  })
  const exp = fromNow(60, clock.now())
  return { clock, problems, exp, verify: (grant: string): Promise<Grant> => verifier.verify(grant) }
}

t.test('a grant gives its channels until its exp', async t => {
  const { verify, exp } = begin()
  t.strictSame(await verify(await signGrant({ channels: ['node_17', 'preview_*'], exp })), {
    isGenuine: true,
    channels: ['node_17', 'preview_*'],
    uid: undefined,
    expiresMs: exp * 1_000,
  })
  t.match(await verify(await signGrant({ channels: [], exp, uid: 5 })), { isGenuine: true, uid: '5' })
  t.match(await verify(await signGrant({ channels: ['*'], exp, uid: 'ann' })), { uid: 'ann' })
})

t.test('one that is over is still known to be the CMS’s own', async t => {
  const { verify, exp, clock, problems } = begin()
  const grant = await signGrant({ channels: ['node_17'], exp })
  clock.advance(365 * 86_400_000)
  t.match(await verify(grant), { isGenuine: true, channels: ['node_17'], expiresMs: exp * 1_000 })
  t.strictSame(problems, [])
})

t.test('several secrets are good at once; without one no grant is accepted', async t => {
  const { verify, exp } = begin([otherSecret, grantSecret])
  for (const key of [grantSecret, otherSecret]) {
    t.match(await verify(await signGrant({ channels: ['a'], exp }, { key })), { isGenuine: true })
  }
  t.strictSame(await begin([]).verify(await signGrant({ channels: ['a'], exp })), {
    isGenuine: false,
    reason: 'not accepted here',
  })
})

t.test('what strangers make means nothing, and is told to nobody', async t => {
  const { verify, exp, problems } = begin()
  const claims = { aud: 'default', channels: ['a'], exp }
  const { privateKey } = await createPair('ES256')
  const typ = 'downpipe-grant+jwt'
  const good = await signGrant({ channels: ['a'], exp })
  const bad: Readonly<Record<string, string>> = {
    'nothing at all': '',
    'no JWT': 'x.y.z',
    'another secret': await signGrant(claims, { key: otherSecret }),
    'the secret of tokens': await signGrant(claims, { key: jwtSecret }),
    'a longer hash': await signGrant(claims, { header: { alg: 'HS512' } }),
    'a public key': await signGrant(claims, { key: privateKey, header: { alg: 'ES256' } }),
    'no signature': forge({ alg: 'none', typ }, claims),
    'an empty signature': forge({ alg: 'HS256', typ }, claims),
    'the type of tokens': await signGrant(claims, { header: { typ: 'JWT' } }),
    'another spelling of the type': await signGrant(claims, { header: { typ: `application/${typ}` } }),
    'other claims under a good signature': good.replace(
      /\..*\./,
      `.${Buffer.from(JSON.stringify({ ...claims, channels: ['b'] })).toString('base64url')}.`,
    ),
    'one more part': `${good}.x`,
    'its head alone': good.slice(0, 60),
  }
  for (const [name, grant] of Object.entries(bad)) t.strictSame(await verify(grant), notValid, name)
  t.strictSame(problems, [])
})

t.test('what the CMS signed and got wrong means nothing, and the operator is told', async t => {
  const { verify, exp, problems, clock } = begin()
  const channels = ['a']
  const later = fromNow(6, clock.now())
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ channels }, 'missing required "exp" claim'],
    [{ channels, exp: 'soon' }, '"exp" claim must be a number'],
    [{ channels, exp, aud: 'other-site' }, 'unexpected "aud" claim value'],
    [{ channels, exp, aud: undefined }, 'missing required "aud" claim'],
    [{ channels, exp, nbf: later }, '"nbf" claim timestamp check failed'],
    [{ exp }, 'claims: must have required properties channels'],
    [{ exp, channels: 'a' }, 'claims.channels: must be array'],
    [{ exp, channels: [5] }, 'claims.channels[0]: must be string'],
    [{ exp, channels: ['a', 'b\n'] }, 'claims.channels[1]: a channel name must not hold control characters'],
    [{ exp, channels: ['a'.repeat(21)] }, 'claims.channels[0]: a channel name is at most 20 bytes'],
    [{ exp, channels, uid: null }, 'claims.uid: must be string, or must be integer'],
    [{ exp, channels, uid: 5.5 }, 'claims.uid: must be string, or must be integer'],
  ]
  for (const [claims, problem] of cases) {
    problems.length = 0
    t.strictSame(await verify(await signGrant(claims)), notValid, problem)
    t.strictSame(problems, [problem])
  }
  t.match(await verify(await signGrant({ channels, exp, nbf: fromNow(5, clock.now()) })), { isGenuine: true })
})

t.test('a grant of one site means nothing to another, and one of several is enough', async t => {
  const { exp } = begin()
  const blog = begin([grantSecret], 'blog')
  t.strictSame(await blog.verify(await signGrant({ channels: ['a'], exp })), notValid)
  t.match(await blog.verify(await signGrant({ channels: ['a'], exp, aud: ['default', 'blog'] })), {
    isGenuine: true,
  })
})
