import t from 'tap'
import { isOperation, KeyRights, type Operation, operationNames } from '../../src/auth/key-rights.js'

const all: readonly Operation[] = [
  'publish',
  'read',
  'kick',
  'logout',
  'refresh',
  'memberships',
  'list',
  'stats',
]

/** What of everything the rights allow. */
function allowed(rights: KeyRights): readonly Operation[] {
  return all.filter(operation => rights.allows(operation))
}

t.test('the operations are those that are documented', async t => {
  t.equal(operationNames, all.join(', '))
  t.ok(all.every(isOperation))
  for (const word of ['', 'Publish', 'toString', '__proto__', 'users']) t.notOk(isOperation(word), word)
})

t.test('without operations a key may do everything; with channels only what is about channels', async t => {
  t.strictSame(allowed(new KeyRights(undefined, undefined)), all)
  t.strictSame(allowed(new KeyRights(['list', 'kick'], undefined)), ['kick', 'list'])
  t.strictSame(allowed(new KeyRights(undefined, ['log_*'])), ['publish', 'read'])
  t.strictSame(allowed(new KeyRights(['stats', 'memberships'], ['log_*'])), ['memberships', 'stats'])
})

t.test('channels are names and prefixes, and without them all channels are allowed', async t => {
  const rights = new KeyRights(undefined, ['log_*', 'status'])
  for (const name of ['log_', 'log_1', 'status']) t.ok(rights.allowsChannel(name), name)
  for (const name of ['log', 'xlog_1', 'status_1', 'statu', '', '*'])
    t.notOk(rights.allowsChannel(name), name)
  t.ok(new KeyRights(['publish'], undefined).allowsChannel('any'))
  t.ok(new KeyRights(undefined, ['*']).allowsChannel('any'))
})

t.test('a refusal says what the key may not do', async t => {
  const rights = new KeyRights(undefined, ['log_*'])
  const refusal = (message: string) => ({ code: 'DOWNPIPE_KEY_RESTRICTED', statusCode: 403, message })
  t.doesNotThrow(() => rights.checkChannel('publish', 'log_1'))
  t.throws(
    () => rights.checkChannel('publish', 'a"b'),
    refusal('this service key may not publish: the channel "a\\"b"'),
  )
  t.throws(
    () => rights.checkChannel('memberships', 'log_1'),
    refusal('this service key may not change memberships'),
  )
  t.throws(() => rights.check('stats'), refusal('this service key may not see the figures'))
})
