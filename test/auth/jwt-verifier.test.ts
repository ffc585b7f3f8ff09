import { CompactSign, exportSPKI, importJWK } from 'jose'
import t from 'tap'
import { createPair, forge, fromNow, jwtSecret, signToken, startKeyServer } from '../helpers/jwt.js'
import { beginJwt } from '../helpers/jwt-verifier.js'

const otherSecret = 'another-secret-of-more-than-32-bytes'

t.test('the claims are the identity; what is left out has a default', async t => {
  const { verifier, sign, clock } = beginJwt()
  const exp = fromNow(60, clock.now())
  const given = {
    sub: '5',
    channels: ['news', 'public_*', '*'],
    visibleTo: [7, '8'],
    info: { name: 'Ünï' },
    exp,
  }
  t.strictSame(await verifier.verify(await sign(given)), {
    identity: {
      uid: '5',
      channels: given.channels,
      visibleTo: ['7', '8'],
      info: given.info,
      expiresIn: 60,
    },
    expiresMs: exp * 1_000,
    madeMs: undefined,
  })
  t.match(await verifier.verify(await sign({ sub: 5, more: 'than we know', aud: 'anybody' })), {
    identity: { uid: '5', channels: [], visibleTo: [], info: undefined, expiresIn: 3_600 },
  })
})

t.test('a secret signs by HS256, HS384 and HS512, and several are good at once', async t => {
  const { outcome, sign } = beginJwt({ secrets: [jwtSecret, otherSecret] })
  for (const key of [jwtSecret, otherSecret]) {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      t.equal(await outcome(await sign({}, { key, header: { alg } })), 'uid 5')
    }
  }
  t.equal(await outcome(await sign({}, { key: `${jwtSecret}x` })), 'refused')
})

t.test('a key of the key set signs by RS, PS, ES and EdDSA, and the set is fetched once', async t => {
  const server = await startKeyServer(t)
  const { outcome, sign, problems } = beginJwt({ secrets: [], jwksUrl: server.url })
  const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']
  const pairs = await Promise.all(algorithms.map(alg => createPair(alg, alg)))
  server.keys = pairs.map(({ jwk }) => jwk)
  const tokens = await Promise.all(
    pairs.map(({ privateKey }, index) => {
      const alg = algorithms[index] ?? ''
      return sign({}, { key: privateKey, header: { alg, kid: alg } })
    }),
  )
  const outcomes = await Promise.all(tokens.map(outcome))
  t.strictSame(
    outcomes,
    algorithms.map(() => 'uid 5'),
  )
  t.equal(server.asked, 1, 'also by many who come at once')
  const stranger = await createPair('ES256', 'ES256')
  const forged = await sign({}, { key: stranger.privateKey, header: { alg: 'ES256', kid: 'ES256' } })
  t.equal(await outcome(forged), 'refused')
  t.strictSame(problems, [])
})

t.test('keys without names are tried one after the other', async t => {
  const server = await startKeyServer(t)
  const { outcome, sign } = beginJwt({ jwksUrl: server.url })
  const [one, two, stranger] = await Promise.all([1, 2, 3].map(() => createPair('ES256')))
  if (one === undefined || two === undefined || stranger === undefined) throw new Error('no keys')
  server.keys = [one.jwk, two.jwk]
  for (const { privateKey } of [one, two]) {
    t.equal(await outcome(await sign({}, { key: privateKey, header: { alg: 'ES256' } })), 'uid 5')
  }
  t.equal(await outcome(await sign({}, { key: stranger.privateKey, header: { alg: 'ES256' } })), 'refused')
})

t.test('a public key is never taken for a secret, and nothing is good without a signature', async t => {
  const server = await startKeyServer(t)
  const rsa = await createPair('RS256', 'a')
  const publicKey = await importJWK(rsa.jwk, 'RS256')
  if (publicKey instanceof Uint8Array) throw new Error('not a public key')
  server.keys = [rsa.jwk, { kty: 'oct', kid: 'o', k: Buffer.from(otherSecret).toString('base64url') }]
  const claims = { sub: '5', exp: fromNow(3_600, beginJwt().clock.now()) }
  const hs = { header: { alg: 'HS256', kid: 'a' } }
  const tokens = [
    await signToken(claims, { ...hs, key: await exportSPKI(publicKey) }),
    await signToken(claims, { ...hs, key: JSON.stringify(rsa.jwk) }),
    await signToken(claims, { ...hs, key: rsa.jwk.n ?? '' }),
    await signToken(claims, { key: otherSecret, header: { alg: 'HS256', kid: 'o' } }),
    forge({ alg: 'none' }, claims),
    forge({ alg: 'None' }, claims),
    forge({ alg: '' }, claims),
    forge({ alg: 'RS256', kid: 'a' }, claims),
    forge({ alg: 'HS256' }, claims),
    forge({ alg: 'HS256' }, claims, 'AAAA'),
    forge({ alg: 'HS256', crit: ['x'], x: 1 }, claims, 'AAAA'),
    forge({ alg: 'XX256' }, claims, 'AAAA'),
    forge({ alg: 'RS256', jwk: rsa.jwk }, claims, 'AAAA'),
  ]
  for (const secrets of [[], [jwtSecret]]) {
    const { outcome, problems } = beginJwt({ secrets, jwksUrl: server.url })
    for (const token of tokens) t.equal(await outcome(token), 'refused', token.slice(0, 40))
    t.strictSame(problems, [], 'strangers fill no log')
  }
})

t.test('a kind of key that is not configured is not looked for', async t => {
  const server = await startKeyServer(t)
  const { privateKey, jwk } = await createPair('ES256', 'a')
  server.keys = [jwk]
  const bySecret = beginJwt()
  t.equal(
    await bySecret.outcome(await bySecret.sign({}, { key: privateKey, header: { alg: 'ES256' } })),
    'refused',
  )
  const byKeySet = beginJwt({ secrets: [], jwksUrl: server.url })
  t.equal(await byKeySet.outcome(await byKeySet.sign()), 'refused')
  t.equal(server.asked, 0)
})

t.test('a JWT is let in from its nbf to its exp, and the tolerance beyond', async t => {
  const { verifier, outcome, sign, clock } = beginJwt()
  const startMs = clock.now()
  const token = await sign({ nbf: fromNow(10, startMs), exp: fromNow(20, startMs) })
  t.equal(await outcome(token), 'refused')
  clock.advance(4_999)
  t.equal(await outcome(token), 'refused')
  clock.advance(1)
  t.equal(await outcome(token), 'uid 5')
  t.equal((await verifier.verify(token))?.expiresMs, startMs + 20_000)
  clock.advance(14_999)
  t.equal((await verifier.verify(token))?.expiresMs, startMs + 20_000)
  clock.advance(1)
  t.equal((await verifier.verify(token))?.expiresMs, startMs + 25_000, 'late, but within the tolerance')
  clock.advance(4_999)
  t.equal(await outcome(token), 'uid 5')
  clock.advance(1)
  t.equal(await outcome(token), 'refused')
})

t.test('how long a token may still be let in is said by itself', async t => {
  const { verifier, sign, clock } = beginJwt()
  const token = await sign({ exp: fromNow(20, clock.now()) })
  t.equal(verifier.leftMs(token), 25_000)
  clock.advance(30_000)
  t.equal(verifier.leftMs(token), 0)
  t.equal(verifier.leftMs(forge({ alg: 'none' }, {})), 0)
})

t.test('the audience is looked at where it is configured', async t => {
  const { outcome, sign, problems } = beginJwt({ audience: 'push' })
  t.equal(await outcome(await sign({ aud: 'push' })), 'uid 5')
  t.equal(await outcome(await sign({ aud: ['other', 'push'] })), 'uid 5')
  for (const aud of ['other', ['other'], [], 5, 'Push']) {
    t.equal(await outcome(await sign({ aud })), 'refused')
  }
  t.equal(await outcome(await sign()), 'refused')
  t.strictSame(
    [...new Set(problems)],
    ['unexpected "aud" claim value', 'missing required "aud" claim'],
    'the operator is told',
  )
})

t.test('claims of a wrong shape are refused, and the operator is told what is wrong with them', async t => {
  const { outcome, problems, clock } = beginJwt()
  const exp = fromNow(60, clock.now())
  const sub = 'must be string, or must be integer'
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ exp }, 'missing required "sub" claim'],
    [{ sub: '5' }, 'missing required "exp" claim'],
    [{ sub: null, exp }, `claims.sub: ${sub}`],
    [{ sub: { id: 'nobody-may-see' }, exp }, `claims.sub: ${sub}`],
    [{ sub: '', exp }, 'claims.sub: must not have fewer than 1 characters, or must be integer'],
    [{ sub: '5', exp: 'soon' }, '"exp" claim must be a number'],
    [{ sub: '5', exp, nbf: 'now' }, '"nbf" claim must be a number'],
    [{ sub: '5', exp, channels: 'news' }, 'claims.channels: must be array'],
    [{ sub: '5', exp, channels: ['a', ''] }, 'claims.channels[1]: a channel name must not be empty'],
    [
      { sub: '5', exp, channels: ['nobody-may-see-this-one'] },
      'claims.channels[0]: a channel name is at most 20 bytes',
    ],
    [{ sub: '5', exp, channels: ['a**'] }, 'claims.channels[0]: a channel name must not end in *'],
    [{ sub: '5', exp, visibleTo: [null] }, 'claims.visibleTo[0]: must be string, or must be integer'],
  ]
  for (const [claims, problem] of cases) {
    problems.length = 0
    t.equal(await outcome(await signToken(claims)), 'refused')
    t.strictSame(problems, [problem])
  }
})

t.test('a JWT without end is none, also where JSON has a number for it', async t => {
  const { outcome, problems } = beginJwt()
  const token = await new CompactSign(Buffer.from('{"sub":"5","exp":1e999}'))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(jwtSecret))
  t.equal(await outcome(token), 'refused')
  t.strictSame(problems, ['claims.exp: must be number'])
})

t.test('a grant is not a token, however its type is spelled', async t => {
  const { outcome, sign } = beginJwt()
  for (const typ of ['downpipe-grant+jwt', 'application/Downpipe-Grant+JWT']) {
    t.equal(await outcome(await sign({}, { header: { typ } })), 'refused')
  }
  for (const typ of ['JWT', 'at+jwt']) t.equal(await outcome(await sign({}, { header: { typ } })), 'uid 5')
})
