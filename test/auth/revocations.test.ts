import t from 'tap'
import { Revocations } from '../../src/auth/revocations.js'
import { MemoryState } from '../../src/state/memory-state.js'
import { FakeClock } from '../helpers/clock.js'

const dayMs = 86_400_000

function begin() {
  const clock = new FakeClock()
  return { clock, revocations: new Revocations(clock) }
}

t.test('a token is refused for as long as was said, and then no more', async t => {
  const { clock, revocations } = begin()
  revocations.revokeToken('hash', 60_000)
  t.ok(revocations.isRevoked('hash'))
  t.notOk(revocations.isRevoked('another'))
  clock.advance(59_999)
  t.ok(revocations.isRevoked('hash'))
  clock.advance(1)
  t.notOk(revocations.isRevoked('hash'))
})

t.test('a user is refused for as long as was said, and then no more', async t => {
  const { clock, revocations } = begin()
  t.equal(revocations.heldForMs('5'), 0)
  revocations.holdUser('5', 5_000)
  t.equal(revocations.heldForMs('5'), 5_000)
  t.equal(revocations.heldForMs('7'), 0)
  clock.advance(4_999)
  t.equal(revocations.heldForMs('5'), 1)
  clock.advance(1)
  t.equal(revocations.heldForMs('5'), 0)
  revocations.holdUser('7', 0)
  t.equal(revocations.heldForMs('7'), 0)
})

t.test('a shorter refusal does not end a longer one', async t => {
  const { revocations } = begin()
  revocations.holdUser('5', 5_000)
  revocations.holdUser('5', 1_000)
  t.equal(revocations.heldForMs('5'), 5_000)
  revocations.revokeToken('hash', 60_000)
  revocations.revokeToken('hash', 0)
  t.ok(revocations.isRevoked('hash'))
})

t.test('what was asked about a user until a kick is void for good; what is asked later is not', async t => {
  const { clock, revocations } = begin()
  const before = clock.monotonic()
  clock.advance(1_000)
  revocations.holdUser('5', 5_000)
  const kicked = clock.monotonic()
  t.ok(revocations.isVoid('5', before))
  t.ok(revocations.isVoid('5', kicked), 'asked in the same moment: it cannot be told')
  t.notOk(revocations.isVoid('5', kicked + 1))
  t.notOk(revocations.isVoid('7', before), 'others are not concerned')
  clock.advance(3_600_000)
  t.ok(revocations.isVoid('5', before))
  t.notOk(revocations.isVoid('5', kicked + 1))
})

t.test('a kick that is a day old is forgotten; all that is older still is void then', async t => {
  // Looked at first by isVoid alone: the forgetting must not come too late for the very question that brings it about.
  const { clock, revocations } = begin()
  const before = clock.monotonic()
  clock.advance(1_000)
  revocations.holdUser('5', 5_000)
  const kicked = clock.monotonic()
  clock.advance(dayMs + 1)
  t.ok(revocations.isVoid('5', before))
  t.ok(revocations.isVoid('7', before))
  t.notOk(revocations.isVoid('5', kicked + 1))
})

t.test('more kicks than are remembered make older identities void, whoever they are of', async t => {
  const { clock, revocations } = begin()
  const before = clock.monotonic()
  for (let index = 0; index <= 100_000; index++) {
    clock.advance(1)
    revocations.holdUser(`user ${index}`, dayMs)
  }
  t.equal(revocations.heldForMs('user 0'), 0, 'the oldest was pushed out')
  t.ok(revocations.heldForMs('user 1') > 0)
  t.ok(revocations.isVoid('user 0', before))
  t.ok(revocations.isVoid('somebody else', before))
  t.notOk(revocations.isVoid('somebody else', before + 2))
})

t.test('what was stored before this process began is refused too', async t => {
  const { clock, revocations } = begin()
  const state = new MemoryState(clock)
  const now = clock.now()
  await state.put('revoked-token', { key: 'hash', value: null, expiresMs: now + 60_000 })
  await state.put('held-user', { key: '5', value: null, expiresMs: now + 5_000 })
  await state.put('held-user', { key: 'past', value: null, expiresMs: now - 1 })
  await revocations.load(state)
  t.ok(revocations.isRevoked('hash'))
  t.equal(revocations.heldForMs('5'), 5_000)
  t.ok(revocations.isVoid('5', clock.monotonic()))
  t.notOk(revocations.isVoid('past', clock.monotonic()))
  clock.advance(60_000)
  t.notOk(revocations.isRevoked('hash'))
})

t.test('a later word about the same token or user replaces the earlier one', async t => {
  const { clock, revocations } = begin()
  const before = clock.monotonic()
  revocations.revokeToken('hash', 1_000)
  revocations.holdUser('5', 1_000)
  clock.advance(500)
  revocations.revokeToken('hash', 60_000)
  revocations.holdUser('5', 60_000)
  clock.advance(10_000)
  t.ok(revocations.isRevoked('hash'))
  t.equal(revocations.heldForMs('5'), 50_000)
  t.notOk(revocations.isVoid('7', before), 'and concerns nobody else')
})
