import type { Test } from 'tap'
import type { SiteState, StateKind, StateRecord } from '../../src/state/site-state.js'
import type { FakeClock } from '../helpers/clock.js'
import { nastyData, nastyNames } from '../helpers/nasty.js'

/** A new, empty site state, as the suite gets to know it. */
export interface StateUnderTest {
  readonly state: SiteState
  /** The same state as another node has it; where only one node can have it: `state` again. */
  readonly other: SiteState
  /** Its time; undefined where a test cannot move it. */
  readonly clock: FakeClock | undefined
  /** Gives back what it stood on, after both were closed. */
  dispose?(): Promise<void>
}

/** Makes a new state for each case. */
export type CreateState = () => Promise<StateUnderTest>

async function begin(t: Test, create: CreateState): Promise<StateUnderTest & { now(): number }> {
  const tested = await create()
  t.teardown(async () => {
    await tested.state.close()
    await tested.other.close()
    await tested.dispose?.()
  })
  return { ...tested, now: () => tested.clock?.now() ?? Date.now() }
}

/** What is listed, as text, in an order that does not depend on the implementation. */
async function listed(state: SiteState, kind: StateKind): Promise<readonly string[]> {
  const found: string[] = []
  for await (const record of state.list(kind)) found.push(JSON.stringify(record))
  return found.sort()
}

/** What every `SiteState` must do. An implementation's own test gives it a factory. */
export function siteStateSuite(t: Test, { create }: { create: CreateState }): void {
  t.test('what was put is there, on every node', async t => {
    const { state, other, now } = await begin(t, create)
    const record = { key: '5', value: { since: 1, by: ['cms'] }, expiresMs: now() + 60_000 }
    await state.put('held-user', record)
    for (const node of [state, other]) {
      t.strictSame(await node.get('held-user', '5'), record)
      t.strictSame(await listed(node, 'held-user'), [JSON.stringify(record)])
    }
  })

  t.test('what was never put is not there', async t => {
    const { state } = await begin(t, create)
    t.equal(await state.get('held-user', '5'), undefined)
    t.strictSame(await listed(state, 'held-user'), [])
    await state.delete('held-user', '5')
  })

  t.test('a record of the same kind and key is replaced', async t => {
    const { state, other, now } = await begin(t, create)
    const [first, second] = [1, 2].map(value => ({ key: '5', value, expiresMs: now() + value * 60_000 }))
    if (first === undefined || second === undefined) return
    await state.put('held-user', first)
    await other.put('held-user', second)
    t.strictSame(await state.get('held-user', '5'), second)
    t.strictSame(await listed(state, 'held-user'), [JSON.stringify(second)])
  })

  t.test('kinds are apart', async t => {
    const { state, now } = await begin(t, create)
    const user = { key: 'same', value: 'user', expiresMs: now() + 60_000 }
    const token = { key: 'same', value: 'token', expiresMs: now() + 60_000 }
    await state.put('held-user', user)
    await state.put('revoked-token', token)
    t.strictSame(await state.get('held-user', 'same'), user)
    t.strictSame(await listed(state, 'revoked-token'), [JSON.stringify(token)])
    await state.delete('held-user', 'same')
    t.equal(await state.get('held-user', 'same'), undefined)
    t.strictSame(await state.get('revoked-token', 'same'), token)
  })

  t.test('what was deleted is gone, on every node', async t => {
    const { state, other, now } = await begin(t, create)
    await state.put('held-user', { key: '5', value: null, expiresMs: now() + 60_000 })
    await state.put('held-user', { key: '7', value: null, expiresMs: now() + 60_000 })
    await other.delete('held-user', '5')
    for (const node of [state, other]) {
      t.equal(await node.get('held-user', '5'), undefined)
      t.equal((await listed(node, 'held-user')).length, 1)
    }
  })

  t.test('a record is gone from the moment at which it expires', async t => {
    const { state, clock, now } = await begin(t, create)
    await state.put('held-user', { key: 'past', value: null, expiresMs: now() - 1 })
    t.equal(await state.get('held-user', 'past'), undefined)
    t.strictSame(await listed(state, 'held-user'), [])
    if (clock === undefined) {
      t.pass('moves time', { skip: 'the time of this state cannot be moved' })
      return
    }
    await state.put('held-user', { key: 'soon', value: null, expiresMs: now() + 5_000 })
    await state.put('held-user', { key: 'later', value: null, expiresMs: now() + 9_000 })
    clock.advance(4_999)
    t.ok(await state.get('held-user', 'soon'))
    clock.advance(1)
    t.equal(await state.get('held-user', 'soon'), undefined)
    t.match(await listed(state, 'held-user'), [/"later"/])
  })

  t.test('whatever keys are called and values hold, they come out as they went in', async t => {
    const { state, now } = await begin(t, create)
    const expiresMs = now() + 60_000
    const records: StateRecord[] = [
      ...nastyNames.map(key => ({ key, value: key, expiresMs })),
      ...nastyData.map((value, index) => ({ key: `value ${index}`, value, expiresMs })),
    ]
    for (const record of records) await state.put('held-user', record)
    for (const record of records) {
      // As JSON, because a deep comparison overlooks an own property called __proto__.
      t.equal(JSON.stringify(await state.get('held-user', record.key)), JSON.stringify(record))
    }
    t.strictSame(await listed(state, 'held-user'), records.map(record => JSON.stringify(record)).sort())
    t.strictSame(await listed(state, 'revoked-token'), [])
  })

  t.test('a list goes on while records come and go', async t => {
    const { state, now } = await begin(t, create)
    const expiresMs = now() + 60_000
    const keys = Array.from({ length: 50 }, (_, index) => `stays ${index}`)
    for (const key of keys) await state.put('held-user', { key, value: null, expiresMs })
    for (let index = 0; index < 10; index++) {
      await state.put('held-user', { key: `goes ${index}`, value: null, expiresMs })
    }
    const found = new Set<string>()
    let index = 0
    for await (const { key } of state.list('held-user')) {
      t.notOk(found.has(key), 'no record comes twice')
      found.add(key)
      if (index === 10) continue
      await state.delete('held-user', `goes ${index}`)
      await state.put('held-user', { key: `comes ${index}`, value: null, expiresMs })
      index += 1
    }
    t.strictSame(
      keys.filter(key => !found.has(key)),
      [],
      'those that were there all the time are listed',
    )
  })

  t.test('after close every call rejects', async t => {
    const { state, now } = await begin(t, create)
    const record = { key: '5', value: null, expiresMs: now() + 60_000 }
    await state.put('held-user', record)
    await state.close()
    await t.rejects(state.put('held-user', record))
    await t.rejects(state.get('held-user', '5'))
    await t.rejects(state.delete('held-user', '5'))
    await t.rejects(listed(state, 'held-user'))
    await state.close()
  })
}
