import { exportJWK, generateKeyPair, type JWK } from 'jose'
import t, { type Test } from 'tap'
import { createPair, forge, fromNow, jwtSecret, type KeyServer, startKeyServer } from '../helpers/jwt.js'
import { beginJwt } from '../helpers/jwt-verifier.js'

const minuteMs = 60_000

/** A verifier that has to fetch its keys, and a token of a key that is there. */
async function begin(t: Test, timeoutMs?: number) {
  const server = await startKeyServer(t)
  const test = beginJwt({ jwksUrl: server.url, ...(timeoutMs !== undefined && { timeoutMs }) })
  const one = await createPair('ES256', 'one')
  server.keys = [one.jwk]
  /** Signs by a key, for a day. */
  const signBy = ({ privateKey, jwk }: typeof one) =>
    test.sign(
      { exp: fromNow(86_400, test.clock.now()) },
      { key: privateKey, header: { alg: 'ES256', kid: jwk.kid ?? '' } },
    )
  return { ...test, server, one, signBy, token: await signBy(one) }
}

/** What makes a whole private key of the public one with the same name. */
async function privatePart(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return await exportJWK(privateKey)
}

/** Waits until the key server was asked so often. */
async function asked(server: KeyServer, times: number): Promise<void> {
  while (server.asked < times) await new Promise(resolve => setImmediate(resolve))
}

t.test('keys that cannot be fetched are no refusal, and the operator is told why', async t => {
  const cases: readonly (readonly [KeyServer['answer'], string])[] = [
    [response => response.writeHead(500).end(), 'the JWKS URL answered 500; 200 was expected'],
    [
      response => response.writeHead(302, { location: '/other' }).end(),
      'the JWKS URL answered 302; 200 was expected',
    ],
    [response => response.end('<!DOCTYPE html>'), 'the JWKS URL answered no JSON'],
    [response => response.end(), 'the JWKS URL answered no JSON'],
    [response => response.end('[]'), 'the JWKS URL answered no JSON Web Key Set ({"keys":[…]})'],
    [
      response => response.end('{"keys":["key"]}'),
      'the JWKS URL answered no JSON Web Key Set ({"keys":[…]})',
    ],
    [
      response => response.end(`{"keys":[]${' '.repeat(1_048_576)}}`),
      'the JWKS URL answered more than 1048576 bytes',
    ],
    [response => response.destroy(), 'the JWKS URL could not be reached: UND_ERR_SOCKET'],
  ]
  for (const [answer, problem] of cases) {
    const { server, outcome, token, problems } = await begin(t)
    server.answer = answer
    t.equal(await outcome(token), `VerifierUnavailable: ${problem}`)
    t.strictSame(problems, [problem])
  }
})

t.test('a JWKS URL that does not answer in time holds nobody up for longer', async t => {
  const { server, outcome, token, problems } = await begin(t, 200)
  server.answer = () => {}
  const beginMs = performance.now()
  t.equal(await outcome(token), 'VerifierUnavailable: the JWKS URL gave no answer in time')
  t.ok(performance.now() - beginMs < 10_000)
  t.strictSame(problems, ['the JWKS URL gave no answer in time'])
})

t.test('a JWKS URL that failed is left alone for a moment, and asked again then', async t => {
  const { server, outcome, token, problems, clock } = await begin(t)
  server.answer = response => response.writeHead(503).end()
  const crowd = await Promise.all(Array.from({ length: 20 }, () => outcome(token)))
  t.match([...new Set(crowd)], [/^VerifierUnavailable/])
  t.match(await outcome(token), /^VerifierUnavailable/)
  t.equal(server.asked, 1)
  t.equal(problems.length, 1, 'and told of once')
  server.answer = undefined
  clock.advance(2_000)
  t.equal(await outcome(token), 'uid 5')
  t.equal(server.asked, 2)
})

t.test('while the keys are away, what needs none of them is decided', async t => {
  const { server, outcome, sign, clock, signBy, one } = await begin(t)
  server.answer = response => response.writeHead(503).end()
  t.equal(await outcome(await sign({}, { key: jwtSecret })), 'uid 5')
  const token = await signBy(one)
  clock.advance(86_400_000 + 5_000)
  t.equal(await outcome(token), 'refused', 'it is over, whoever signed it')
  t.equal(await outcome(forge({ alg: 'none' }, { sub: '5' })), 'refused')
  t.equal(server.asked, 0)
})

t.test('keys that were fetched are used while the URL is away, for a limited time', async t => {
  const { server, outcome, token, clock } = await begin(t)
  t.equal(await outcome(token), 'uid 5')
  server.answer = response => response.writeHead(503).end()
  clock.advance(11 * minuteMs)
  t.equal(await outcome(token), 'uid 5')
  await asked(server, 2)
  clock.advance(60 * minuteMs)
  t.match(await outcome(token), /^VerifierUnavailable/)
})

t.test('a key that was taken back is good no longer', async t => {
  const { server, outcome, token, clock, signBy } = await begin(t)
  t.equal(await outcome(token), 'uid 5')
  const two = await createPair('ES256', 'two')
  server.keys = [two.jwk]
  clock.advance(10 * minuteMs)
  t.equal(await outcome(token), 'uid 5', 'known for a while')
  clock.advance(1)
  while ((await outcome(token)) === 'uid 5') await new Promise(resolve => setImmediate(resolve))
  t.equal(await outcome(token), 'refused')
  t.equal(await outcome(await signBy(two)), 'uid 5')
  t.equal(server.asked, 2)
})

t.test('an unknown key is looked for, but made-up ones are no flood', async t => {
  const { server, outcome, token, signBy } = await begin(t)
  let nowMs = Date.now()
  const realNow = Date.now
  t.teardown(() => {
    Date.now = realNow
  })
  // The library measures this pause on the machine's own clock.
  Date.now = () => nowMs
  t.equal(await outcome(token), 'uid 5')
  const two = await createPair('ES256', 'two')
  server.keys = [...server.keys, two.jwk]
  const made = await Promise.all(
    ['x', 'y', 'z'].map(async kid => signBy({ ...two, jwk: { ...two.jwk, kid } })),
  )
  for (const each of made) t.equal(await outcome(each), 'refused')
  t.equal(server.asked, 1)
  nowMs += 10_001
  t.equal(await outcome(await signBy(two)), 'uid 5')
  t.equal(server.asked, 2)
})

t.test('a key that cannot be used says nothing about a token, and is not repeated in a log', async t => {
  for (const fault of [{ x: 'nobody-may-see' }, { d: 'nobody-may-see' }, await privatePart()]) {
    const { server, outcome, token, problems, one } = await begin(t)
    server.keys = [{ ...one.jwk, ...fault }]
    t.equal(await outcome(token), 'VerifierUnavailable: the key cannot be used')
    t.match(problems, [/^a key of the JWKS URL cannot be used \(\w+\)$/])
  }
})
