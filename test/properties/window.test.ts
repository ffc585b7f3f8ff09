import fc from 'fast-check'
import t from 'tap'
import type { Cursor, Since } from '../../src/cursor.js'
import { createEntry, entryBytes } from '../../src/log/entry.js'
import { type Start, Window } from '../../src/log/window.js'
import { FakeClock } from '../helpers/clock.js'
import { effort, seed } from '../helpers/seed.js'
import { command } from '../helpers/window.js'
import { WindowModel } from '../helpers/window-model.js'

/**
 * A window gets messages and commands, forgets, is begun anew, while its clock runs and is set back and forth. Whatever a
 * subscriber asks of it, it judges and reads as a naive model does.
 */

type Step =
  | {
      readonly do: 'publish'
      readonly keys: readonly string[]
      readonly length: number
      readonly ttlMs?: number
    }
  | { readonly do: 'obey' | 'evict' }
  | { readonly do: 'pass' | 'set'; readonly ms: number }
  | { readonly do: 'reset'; readonly n: number }
  | { readonly do: 'ask'; readonly since: Ask; readonly keys: readonly string[]; readonly maxBytes: number }

/** Where to ask from: a place `back` entries before the newest, or its time, a little beside it or not. */
interface Ask {
  readonly kind: 'cursor' | 'time' | 'none'
  readonly back: number
  readonly besideMs: number
}

const retention = { entries: 12, ageMs: 60_000, bytes: 6_000 }
const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        do: fc.constant('publish' as const),
        keys,
        length: fc.oneof({ weight: 9, arbitrary: fc.nat(50) }, fc.constantFrom(1_000, 7_000)),
        ttlMs: fc.constantFrom(0, 1, 500, 100_000),
      },
      { requiredKeys: ['do', 'keys', 'length'] },
    ),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('obey' as const, 'evict' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 400, 31_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set' as const), ms: fc.constantFrom(-5_000, 5_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), n: fc.constantFrom(0, 7) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      since: fc.record({
        kind: fc.constantFrom('cursor' as const, 'cursor' as const, 'time' as const, 'none' as const),
        back: fc.integer({ min: -2, max: 25 }),
        besideMs: fc.constantFrom(0, 0, 0, -1, 1),
      }),
      keys,
      maxBytes: fc.constantFrom(0, 100, 400, 1e9),
    }),
  },
)

/** The window and the model, and every place that there ever was. */
class Pair {
  readonly clock = new FakeClock()
  readonly window = new Window({ clock: this.clock, retention })
  readonly places: Cursor[] = []
  model = this.reset(0)

  reset(n: number): WindowModel {
    const birthMs = this.clock.now()
    const floor = { ms: birthMs + 10 * n, n }
    this.window.reset(floor, birthMs)
    this.places.push(floor)
    this.model = new WindowModel(floor, birthMs, retention)
    return this.model
  }

  add(item: Parameters<typeof createEntry>[1]): void {
    const { ms, n } = this.window.applied
    const cursor = { ms: Math.max(ms, this.clock.now()), n: n + 1 }
    const entry = createEntry(cursor, item)
    const { keys, expiresMs } = entry.kind === 'message' ? entry : { keys: [], expiresMs: 0 }
    this.window.add(entry)
    this.model.add({ cursor, keys, expiresMs, bytes: entryBytes(entry) }, this.clock.now())
    this.places.push(cursor)
  }

  since({ kind, back, besideMs }: Ask): Since | undefined {
    const { ms, n } = this.places.at(-1 - Math.max(0, back)) ?? { ms: besideMs, n: 0 }
    if (kind === 'none') return undefined
    if (kind === 'time') return { timeMs: Math.max(0, ms + besideMs) }
    return { cursor: { ms: ms + besideMs, n: n + Math.max(0, -back) } }
  }

  play(each: Step): void {
    if (each.do === 'publish') {
      const { keys, length, ttlMs } = each
      this.add({ kind: 'message', keys, json: 'x'.repeat(length), ...(ttlMs !== undefined && { ttlMs }) })
    } else if (each.do === 'obey') this.add(command)
    else if (each.do === 'pass') this.clock.advance(each.ms)
    else if (each.do === 'set') this.clock.jump(each.ms)
    else if (each.do === 'reset') this.reset(each.n)
    else if (each.do === 'evict') {
      this.window.evict()
      this.model.evict(this.clock.now())
    }
  }

  /** What is read in pages from `n` on. Says where a page is not as it should be. */
  read(n: number, keys: readonly string[], maxBytes: number): readonly number[] {
    const found: number[] = []
    for (let from = n; ; ) {
      const { frames, to, isLast } = this.window.read(from, keys, maxBytes)
      const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0)
      if (bytes > maxBytes && frames.length > 1) throw new Error(`a page of ${bytes} bytes`)
      found.push(...frames.map(({ cursor }) => cursor?.n ?? Number.NaN))
      if (isLast && to !== this.window.applied.n) throw new Error(`the last page ends at ${to}`)
      if (isLast) return found
      if (to <= from) throw new Error(`a page goes from ${from} to ${to}`)
      from = to
    }
  }
}

/** How the real one differs from the model; undefined: not at all. */
function difference(pair: Pair, { since: ask, keys, maxBytes }: Step & { do: 'ask' }): string | undefined {
  const { window, model, clock } = pair
  const since = pair.since(ask)
  const told = (start: Start) => JSON.stringify({ since, start, size: window.size.entries })
  const expected = model.start(since, keys)
  const start = window.start(since, keys)
  if (window.size.entries !== model.held.length)
    return `${window.size.entries} held, not ${model.held.length}`
  if (told(start) !== told(expected)) return `${told(start)}, not ${told(expected)}`
  if (start.kind !== 'good') return undefined
  const [found, wanted] = [
    pair.read(start.from.n, keys, maxBytes),
    model.read(start.from.n, keys, clock.now()),
  ]
  return `${found}` === `${wanted}` ? undefined : `read ${found}, not ${wanted} (${told(start)})`
}

t.test('the window judges and reads as a naive model does', async t => {
  const kinds = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 150, size: 'max' }), steps => {
      const pair = new Pair()
      for (const each of steps) {
        if (each.do !== 'ask') {
          pair.play(each)
          continue
        }
        const problem = difference(pair, each)
        if (problem !== undefined) throw new Error(problem)
        const start = pair.model.start(pair.since(each.since), each.keys)
        const kind = start.kind === 'gap' ? start.reason : start.kind
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
    }),
    { seed, numRuns: 400 * effort },
  )
  t.comment(`seed ${seed}`)
  for (const kind of ['good', 'ahead', 'old', 'unknown']) {
    t.ok((kinds.get(kind) ?? 0) > 100, `${kind} was met ${kinds.get(kind)} times`)
  }
})
