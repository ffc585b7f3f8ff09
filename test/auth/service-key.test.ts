import t from 'tap'
import { bearer, ServiceKeys, unrestrictedKey } from '../../src/auth/service-key.js'

t.test('each of the keys is good, and nothing else', async t => {
  const keys = new ServiceKeys([
    'the-first-key-of-all',
    'the-second-key-ünï',
    { key: 'the-third-key-of-all' },
  ])
  t.ok(keys.find('the-first-key-of-all'))
  t.ok(keys.find('the-second-key-ünï'))
  t.ok(keys.find('the-third-key-of-all'))
  const others = [
    '',
    ' ',
    'the-first-key-of-al',
    'the-first-key-of-all ',
    'THE-FIRST-KEY-OF-ALL',
    'undefined',
    '[object Object]',
  ]
  for (const other of others) t.equal(keys.find(other), undefined, other)
})

t.test('where there is no key, none is good', async t => {
  t.equal(new ServiceKeys([]).find(''), undefined)
  t.equal(new ServiceKeys([]).find('undefined'), undefined)
})

t.test('a key of any length is compared, and a wrong one is no error', async t => {
  const keys = new ServiceKeys(['the-first-key-of-all'])
  t.equal(keys.find('x'.repeat(1_000_000)), undefined)
  t.equal(keys.find('\0'), undefined)
})

t.test('a permit needs a good key, and one that may do this', async t => {
  const keys = new ServiceKeys([
    'the-first-key-of-all',
    { key: 'for-publishing-only', operations: ['publish'] },
  ])
  for (const key of [undefined, '', 'the-first-key-of-al']) {
    t.throws(() => keys.permit(key, 'publish'), { code: 'DOWNPIPE_SERVICE_KEY_REQUIRED' })
  }
  t.ok(keys.permit('the-first-key-of-all', 'kick').allowsChannel('any'))
  t.ok(keys.permit('for-publishing-only', 'publish').allowsChannel('any'))
  t.throws(() => keys.permit('for-publishing-only', 'kick'), {
    code: 'DOWNPIPE_KEY_RESTRICTED',
    message: 'this service key may not kick users',
  })
})

t.test('the CMS is shown the first key that may do everything', async t => {
  const restricted = { key: 'for-publishing-only', operations: ['publish'] } as const
  t.equal(unrestrictedKey([restricted, 'the-first', 'the-second']), 'the-first')
  t.equal(unrestrictedKey([restricted]), undefined)
  t.equal(unrestrictedKey([]), undefined)
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
