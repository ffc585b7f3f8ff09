import fc from 'fast-check'
import t from 'tap'
import { Presence, type PresenceEvent, type Visitor } from '../../src/hub/presence.js'
import { FakeClock } from '../helpers/clock.js'
import { effort, seed } from '../helpers/seed.js'

/**
 * Connections of a few users come, go and change who may see them, at random. A model that knows nothing of timers, counts and
 * indexes works out from the whole history, at each instant, who is online and who sees whom; what was told must be the
 * differences between one instant and the next, and nothing else.
 */

const graceMs = 5_000
const uids = ['1', '2', '3', '4']

type Step =
  | {
      readonly do: 'enter'
      readonly uid: string | null
      readonly sees: readonly string[]
      readonly heard: number
    }
  | { readonly do: 'leave'; readonly which: number }
  | {
      readonly do: 'reveal'
      readonly which: number
      readonly sees: readonly string[]
      readonly heard: number
    }
  | { readonly do: 'pass'; readonly ms: number }

const sees = fc.array(fc.constantFrom(...uids), { maxLength: 3 })
const heard = fc.nat(5)
const which = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('enter' as const),
      uid: fc.option(fc.constantFrom(...uids), { freq: 10 }),
      sees,
      heard,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reveal' as const), which, sees, heard }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 999, 2_500, graceMs - 1, graceMs, graceMs + 1),
    }),
  },
)

/** What was said of one connection, and when. */
interface Connection {
  readonly visitor: Visitor
  isGone: boolean
}

type Change =
  | { readonly atMs: number; readonly kind: 'count'; readonly uid: string; readonly by: 1 | -1 }
  | {
      readonly atMs: number
      readonly kind: 'say'
      readonly uid: string
      readonly sees: readonly string[]
      readonly heard: number
    }

/** The naive model: the history of all that happened, read from its beginning for each question. */
class Model {
  readonly changes: Change[] = []
  readonly #isReported: boolean

  constructor(isReported: boolean) {
    this.#isReported = isReported
  }

  enter({ uid, visibleTo }: Visitor, heard: number, atMs: number): void {
    if (uid === null) return
    if (this.#counts(visibleTo)) this.changes.push({ atMs, kind: 'count', uid, by: 1 })
    this.changes.push({ atMs, kind: 'say', uid, sees: visibleTo, heard })
  }

  leave({ uid, visibleTo }: Visitor, atMs: number): void {
    if (uid !== null && this.#counts(visibleTo)) this.changes.push({ atMs, kind: 'count', uid, by: -1 })
  }

  /** Who may see the user just now; undefined: the user is offline. */
  state(uid: string, nowMs: number): readonly string[] | undefined {
    let count = 0
    let emptyMs = Number.NEGATIVE_INFINITY
    let said: { sees: readonly string[]; heard: number } | undefined
    const isOffline = (atMs: number) => count === 0 && atMs - emptyMs >= graceMs
    for (const change of this.changes.filter(each => each.uid === uid)) {
      if (isOffline(change.atMs)) said = undefined
      if (change.kind === 'say') {
        if (!isOffline(change.atMs) && (said === undefined || change.heard >= said.heard)) said = change
      } else {
        count += change.by
        if (count === 0) emptyMs = change.atMs
      }
    }
    return isOffline(nowMs) ? undefined : (said?.sees ?? [])
  }

  #counts(visibleTo: readonly string[]): boolean {
    return this.#isReported || visibleTo.length > 0
  }
}

/** Plays the steps; returns the first thing that is wrong. */
function fault(steps: readonly Step[], isReported: boolean): string | undefined {
  const clock = new FakeClock(0)
  const model = new Model(isReported)
  const online = new Set<string>()
  const seen = new Set<string>()
  let problem: string | undefined
  let frames = 0
  let before: readonly string[] = []
  const note = (set: Set<string>, key: string, event: PresenceEvent) => {
    const isNews = event === 'online' ? !set.has(key) : set.delete(key)
    if (event === 'online') set.add(key)
    if (!isNews) problem ??= `${key} was called ${event} again`
  }
  const presence = new Presence({
    clock,
    presenceGraceMs: graceMs,
    presenceQuietMs: 0,
    onEvent: isReported ? (uid, event) => note(online, uid, event) : undefined,
    onFrame: (viewer, frame) => {
      const { uid, event } = JSON.parse(frame.json).data
      frames += 1
      note(seen, `${uid} for ${viewer}`, event)
    },
    onStale: () => {
      problem ??= 'somebody was told anew'
    },
  })
  const check = () => {
    const states = uids.map(uid => ({ uid, viewers: model.state(uid, clock.monotonic()) }))
    const wanted = states.flatMap(({ uid, viewers = [] }) => viewers.map(viewer => `${uid} for ${viewer}`))
    const isOnline = states.filter(({ viewers }) => viewers !== undefined).map(({ uid }) => uid)
    const lists = uids.flatMap(viewer => presence.seenBy(viewer).map(uid => `${uid} for ${viewer}`))
    const differences = new Set(
      [...wanted, ...before].filter(each => !(wanted.includes(each) && before.includes(each))),
    )
    const at = `at ${clock.monotonic()}`
    if (frames !== differences.size) problem ??= `${at}: told ${frames} times of ${differences.size} changes`
    frames = 0
    before = wanted
    if (!isEqual(seen, wanted)) problem ??= `${at}: told ${[...seen]}, not ${wanted}`
    if (!isEqual(lists, wanted)) problem ??= `${at}: listed ${lists}, not ${wanted}`
    if (isReported && !isEqual(online, isOnline))
      problem ??= `${at}: reported ${[...online]}, not ${isOnline}`
  }
  const connections: Connection[] = []
  const open = (index: number) => {
    const there = connections.filter(({ isGone }) => !isGone)
    return there[index % Math.max(1, there.length)]
  }
  for (const each of steps) {
    if (each.do === 'enter') {
      const visitor = { uid: each.uid, visibleTo: each.sees }
      connections.push({ visitor, isGone: false })
      model.enter(visitor, each.heard, clock.monotonic())
      presence.enter(visitor, each.heard)
    } else if (each.do === 'pass') {
      // A millisecond before and after each end of a grace would do; stops in between find what comes too early.
      for (const part of [each.ms - 1, 1]) {
        clock.advance(part)
        check()
      }
    } else {
      const one = open(each.which)
      if (one === undefined) continue
      const past = { ...one.visitor }
      if (each.do === 'reveal') {
        model.enter({ uid: past.uid, visibleTo: each.sees }, each.heard, clock.monotonic())
        presence.reveal(one.visitor, each.sees, each.heard)
      } else {
        one.isGone = true
        presence.leave(one.visitor)
      }
      model.leave(past, clock.monotonic())
    }
    check()
  }
  return problem
}

function isEqual(these: Iterable<string>, those: Iterable<string>): boolean {
  const sorted = (items: Iterable<string>) => [...new Set(items)].sort().join()
  return sorted(these) === sorted(those)
}

for (const isReported of [true, false]) {
  const whether = isReported ? 'with' : 'without'
  t.test(`what is told is what a naive model says, ${whether} an events URL`, async t => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 80, size: 'max' }), steps => {
        const problem = fault(steps, isReported)
        if (problem !== undefined) throw new Error(problem)
      }),
      { seed, numRuns: 200 * effort },
    )
    t.pass(`seed ${seed}`)
  })
}
