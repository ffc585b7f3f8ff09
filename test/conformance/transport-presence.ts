import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { until } from '../helpers/calls.js'
import { startEventsUrl } from '../helpers/events-url.js'
import { PresenceWatcher } from '../helpers/presence-watcher.js'
import { RawConnection } from '../helpers/raw-connection.js'
import type { ReaderEvent } from '../helpers/reader.js'
import { beginCase, type Transport } from './transport-case.js'

/** Long enough for a poll or a page to follow the last one on a machine that is busy, short enough to be waited for. */
const graceMs = 2_000

/** Who is told that somebody is online. */
export function presenceSuite(t: Test, transport: Transport): void {
  /** A case without a quiet time, in which user 7 watches. User 5 has two tokens; user 6 one, which anybody may see. */
  const begin = async (t: Test, overrides: Partial<Config> = {}) => {
    const events = await startEventsUrl()
    const presence = { presenceGraceMs: graceMs, presenceQuietMs: 0, eventsUrl: events.url }
    const test = await beginCase(t, transport, { ...presence, ...overrides })
    t.teardown(() => events.close())
    const { knows, connect, publish } = test
    knows('seven', { uid: '7', channels: ['a'] })
    knows('five', { uid: 5, channels: ['a'], visibleTo: [7, '8'] })
    knows('five-too', { uid: '5', channels: ['a'], visibleTo: ['7', '8'] })
    knows('six', { uid: '6', visibleTo: ['7'] })
    const watch = async (token = 'seven') => {
      const watcher = new PresenceWatcher(connect({ token }))
      t.equal((await watcher.read()).event, 'ready')
      return watcher
    }
    /** Everything that was to be told by now has been read then. */
    const mark = async (watcher: PresenceWatcher) => {
      await publish({ uid: '7', data: 'mark' })
      await watcher.untilMessage('mark')
    }
    return { ...test, events, watch, mark }
  }

  t.test('a user who changes pages ten times causes no event', async t => {
    // The time between two pages is the machine's; that 3 s are no departure is shown with a clock of the tests' own.
    const { events, join, watch, mark } = await begin(t, { presenceGraceMs: 5_000 })
    const watcher = await watch()
    let page = await join({ token: 'five' })
    await watcher.until('5')
    for (let change = 0; change < 10; change++) {
      page.close()
      page = await join({ token: change % 2 === 0 ? 'five-too' : 'five' })
    }
    await mark(watcher)
    t.strictSame(watcher.changes, ['5 online'])
    page.close()
    await watcher.until()
    t.strictSame(watcher.changes, ['5 online', '5 offline'])
    await until('the calls', () => events.taken.length === 3)
    t.strictSame(events.taken, ['7 online', '5 online', '5 offline'])
  })

  t.test('the first of several tabs is online, the last one offline, whatever their tokens', async t => {
    const { join, watch, mark } = await begin(t)
    const watcher = await watch()
    const tabs = [
      await join({ token: 'five' }),
      await join({ token: 'five-too' }),
      await join({ token: 'five' }),
    ]
    const last = await join({ token: 'five-too' })
    for (const tab of tabs) tab.close()
    // Who leaves later is told later.
    const six = await join({ token: 'six' })
    await watcher.until('5', '6')
    six.close()
    await watcher.until('5')
    await mark(watcher)
    t.strictSame(watcher.changes, ['5 online', '6 online', '6 offline'])
    last.close()
    await watcher.until()
  })

  t.test('ready says who is there, to those who may see it', async t => {
    const { knows, join, watch } = await begin(t)
    knows('eight', { uid: '8' })
    knows('nine', { uid: '9' })
    await join({ token: 'five' })
    await join({ token: 'six' })
    t.strictSame((await watch('seven')).online, ['5', '6'])
    t.strictSame((await watch('eight')).online, ['5'])
    t.strictSame((await watch('nine')).online, [])
  })

  t.test('an anonymous reader is never online', async t => {
    const { events, knows, join, watch, mark } = await begin(t)
    knows('nobody', { uid: null, channels: ['a'], visibleTo: ['7'] })
    const watcher = await watch()
    const reader = await join({ token: 'nobody' })
    reader.close()
    const six = await join({ token: 'six' })
    await watcher.until('6')
    six.close()
    await watcher.until()
    await mark(watcher)
    t.strictSame(watcher.changes, ['6 online', '6 offline'])
    await until('the calls', () => events.taken.length === 3)
    t.strictSame(events.taken, ['7 online', '6 online', '6 offline'])
  })

  t.test('whom the CMS hides later is called offline, whom it shows later online', async t => {
    const { events, knows, join, watch } = await begin(t, { pollWaitMs: 300, verifyTtlMs: 200 })
    const watcher = await watch()
    knows('four', { uid: '4', visibleTo: ['7'], expiresIn: 1 })
    await join({ token: 'four' })
    await watcher.until('4')
    knows('four', { uid: '4', visibleTo: [], expiresIn: 1 })
    await watcher.until()
    knows('four', { uid: '4', visibleTo: ['7', '8'], expiresIn: 1 })
    await watcher.until('4')
    t.notOk(events.taken.includes('4 offline'), 'it has been online all the time')
  })

  t.test('a user who is kicked is offline after the grace', async t => {
    const { server, join, watch } = await begin(t)
    const watcher = await watch()
    const reader = await join({ token: 'five' })
    await watcher.until('5')
    await server.post('/kick', { uid: '5', hold: 60 })
    await reader.next('close')
    await watcher.until()
    t.strictSame(watcher.changes, ['5 online', '5 offline'])
  })

  t.test('in the quiet time after the start nobody is told, but ready is right', async t => {
    const { events, join, watch, mark } = await begin(t, { presenceQuietMs: 600_000 })
    const watcher = await watch()
    await join({ token: 'five' })
    await mark(watcher)
    t.strictSame((await watch()).online, ['5'])
    t.strictSame(events.calls, [])
  })

  t.test('after the quiet time those who came early learn who came', async t => {
    const { join, watch } = await begin(t, { presenceQuietMs: 1_500 })
    const watcher = await watch()
    await join({ token: 'five' })
    await join({ token: 'six' })
    await watcher.until('5', '6')
  })

  t.test('a server that goes away calls nobody offline', async t => {
    const { server, events, join, connect } = await begin(t, {
      presenceGraceMs: 1_000,
      drainTimeoutMs: 3_000,
    })
    const reader = connect({ token: 'seven' })
    await reader.next('ready')
    await join({ token: 'six' })
    await until('the calls', () => events.taken.length === 2)
    // A request that does not end: the server waits for it, longer than the grace.
    const publisher = new RawConnection(server.url)
    publisher.write('POST /v1/publish HTTP/1.1', 'Host: x', '')
    await publisher.opened
    await server.close()
    const told: ReaderEvent[] = []
    while (told.at(-1)?.event !== 'close') told.push(await reader.next())
    t.notMatch(JSON.stringify(told), /offline/)
    t.strictSame(events.taken, ['7 online', '6 online'])
  })
}
