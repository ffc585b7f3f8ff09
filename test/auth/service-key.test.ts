import t from 'tap'
import { bearer, ServiceKeys } from '../../src/auth/service-key.js'

t.test('each of the keys is good, and nothing else', async t => {
  const keys = new ServiceKeys(['the-first-key-of-all', 'the-second-key-ünï'])
  t.ok(keys.has('the-first-key-of-all'))
  t.ok(keys.has('the-second-key-ünï'))
  const others = [
    '',
    ' ',
    'the-first-key-of-al',
    'the-first-key-of-all ',
    'THE-FIRST-KEY-OF-ALL',
    'undefined',
  ]
  for (const other of others) t.notOk(keys.has(other), other)
})

t.test('where there is no key, none is good', async t => {
  t.notOk(new ServiceKeys([]).has(''))
  t.notOk(new ServiceKeys([]).has('undefined'))
})

t.test('a key of any length is compared, and a wrong one is no error', async t => {
  const keys = new ServiceKeys(['the-first-key-of-all'])
  t.notOk(keys.has('x'.repeat(1_000_000)))
  t.notOk(keys.has('\0'))
})

t.test('the credential of a bearer header, however the scheme is spelt', async t => {
  t.equal(bearer('Bearer key'), 'key')
  t.equal(bearer('bearer key'), 'key')
  t.equal(bearer('BEARER   key  '), 'key')
  t.equal(bearer('Bearer a b'), 'a b')
  t.equal(bearer('Bearer'), '')
  t.equal(bearer('Bearer '), '')
})

t.test('other schemes, and no header, are no credential', async t => {
  for (const header of [undefined, '', 'key', 'Basic dTpw', 'Bearerkey', ' Bearer key', 'Token Bearer key']) {
    t.equal(bearer(header), undefined, String(header))
  }
})
