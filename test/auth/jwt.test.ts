import t from 'tap'
import { hashToken } from '../../src/auth/identity.js'
import { claimedEnd, hashJwt, isGrantType, jwtHeader, looksLikeJwt } from '../../src/auth/jwt.js'
import { forge, signToken } from '../helpers/jwt.js'

t.test('a JWT is known by three parts and a header that names an algorithm', async t => {
  t.ok(looksLikeJwt(await signToken({ sub: '5' })))
  t.ok(looksLikeJwt(forge({ alg: 'none' }, {})), 'an unsecured one looks like one, too')
  t.ok(looksLikeJwt(forge({ alg: 'XX1' }, 'anything', '_-aZ09')))
  t.match(jwtHeader(forge({ alg: 'none', kid: 'a' }, {})), { alg: 'none', kid: 'a' })
  const others = [
    '',
    'a-session-id',
    'a.b.c',
    'a.b',
    '..',
    `${forge({ alg: 'none' }, {})}.x`,
    `${forge({ alg: 'none' }, {})} `,
    forge({ alg: 'none' }, {}).replace('.', '=.'),
    forge({ typ: 'JWT' }, {}),
    forge({ alg: 5 }, {}),
    forge(['alg'], {}),
    forge(null, {}),
    forge('alg', {}),
    's:eyJhbGciOiJub25lIn0.e30.',
  ]
  for (const token of others) t.notOk(looksLikeJwt(token), token)
})

t.test('when a JWT ends is read without verifying it', async t => {
  t.equal(claimedEnd(forge({ alg: 'none' }, { exp: 1_700_000_000.5 })), 1_700_000_000.5)
  for (const claims of [{}, { exp: '1700000000' }, { exp: null }, null, [], 5]) {
    t.equal(claimedEnd(forge({ alg: 'none' }, claims)), undefined)
  }
  t.equal(claimedEnd('a-session-id'), undefined)
})

t.test('a JWT is known by what is signed, however its signature is spelled', async t => {
  const token = await signToken({ sub: '5' })
  const [header, claims, signature = ''] = token.split('.')
  t.equal(hashJwt(token), hashToken(`${header}.${claims}`))
  t.equal(hashJwt(`${header}.${claims}.${signature.slice(0, -1)}x`), hashJwt(token))
  t.not(hashJwt(await signToken({ sub: '7' })), hashJwt(token))
})

t.test('the type of grants is known in all its spellings', async t => {
  for (const typ of ['downpipe-grant+jwt', 'Downpipe-Grant+JWT', 'application/downpipe-grant+jwt']) {
    t.ok(isGrantType(typ), typ)
  }
  for (const typ of ['JWT', '', undefined, null, 5, 'downpipe-grant', 'x/downpipe-grant+jwt']) {
    t.notOk(isGrantType(typ), String(typ))
  }
})
