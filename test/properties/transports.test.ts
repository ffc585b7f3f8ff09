import fc from 'fast-check'
import t from 'tap'
import { type Change, deliveryFault, type Published, standingOf } from '../helpers/delivery.js'
import { PollReader } from '../helpers/poll-reader.js'
import type { Reader, ReaderEvent } from '../helpers/reader.js'
import { effort, seed } from '../helpers/seed.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import type { Target } from '../helpers/target.js'

/**
 * The same property as the hub's, over real sockets: readers on either transport connect, change it, drop, stall and come back at
 * random, while messages, kicks, refreshes and changes of memberships flow through a window that forgets soon, and all see each
 * other come and go.
 */

const channels = ['a', 'b', 'c', 'd']
const uids = ['0', '1', '2', '3']
/** A channel that nobody has by itself, only as a member. */
const club = 'club'
const runMs = 3_000 * effort
/** Milliseconds after which it has been enough, whatever was seen. */
const longestWaitMs = 60_000

/** A generator of random choices that a seed repeats; how they fall in time is for the machine to say. */
function choices(from: number): <Item>(items: readonly Item[]) => Item {
  const draw = fc.sample(fc.nat(1_000_000), { seed: from, numRuns: 5_000 * effort })
  let next = 0
  return items => {
    const item = items[(draw[next++ % draw.length] ?? 0) % items.length]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function place(id: string): number {
  return Number(id.split('-')[1])
}

/** A browser that lives a restless life. */
class Visitor {
  readonly uid: string
  readonly channels: readonly string[]
  readonly ids: number[] = []
  readonly gaps: { from: number; to: number }[] = []
  start: number | undefined
  readonly #choose: ReturnType<typeof choices>
  #cursor: string | undefined
  #isLast = false
  #hasLeft = false

  constructor(index: number) {
    this.uid = String(index % 4)
    this.channels = channels.slice(index % 4, (index % 4) + 2)
    this.#choose = choices(seed + index)
  }

  get token(): string {
    return `token-${this.uid}-${this.channels.join('')}`
  }

  /** Comes and goes until `isOver`, then comes once more and stays until it was told the end. */
  async live(server: TestServer, isOver: () => boolean): Promise<void> {
    while (!this.#isLast) {
      this.#isLast = isOver()
      this.#hasLeft = false
      const ask = { token: this.token, ...(this.#cursor !== undefined && { since: this.#cursor }) }
      const reader = this.#choose([
        () => new SseReader(server.url, ask),
        () => new PollReader(server.url, ask),
      ])()
      const leaving = this.#isLast ? undefined : this.#misbehave(reader)
      await this.#read(reader)
      reader.close()
      await leaving
      if (!this.#isLast) await pause(this.#choose([0, 5, 50, 400]))
    }
  }

  async #misbehave(reader: Reader): Promise<void> {
    await pause(this.#choose([1, 20, 100, 300, 700]))
    if (reader instanceof SseReader && this.#choose([true, false])) {
      reader.socket?.pause()
      await pause(this.#choose([50, 500]))
      reader.socket?.resume()
      await pause(this.#choose([1, 100]))
    }
    this.#hasLeft = true
    reader.close()
  }

  async #read(reader: Reader): Promise<void> {
    for (;;) {
      const event = await reader.next().catch((error: unknown) => {
        // Who leaves may do so in the middle of a frame.
        if (this.#hasLeft) return { event: 'end', id: undefined, data: undefined }
        throw error
      })
      if (event.event === 'end' || event.event === 'close' || event.event === 'refused') return
      if (this.#see(event)) return
    }
  }

  /** Whether this was the last message of all. */
  #see({ event, id, data }: ReaderEvent): boolean {
    if (id === undefined) return false
    if (event === 'gap') this.gaps.push({ from: place(this.#cursor ?? '0-0'), to: place(id) })
    if (event === 'message') this.ids.push(place(id))
    this.#cursor = id
    this.start ??= place(id)
    return event === 'message' && JSON.stringify(data).includes('"the end"')
  }
}

t.test(
  'every visitor on either transport has everything, once and in order, or a gap that covers it',
  async t => {
    const server = await startTestServer({
      windowEntries: 40,
      outboxBytes: 64 * 1024,
      maxDataBytes: 64 * 1024,
      presenceQuietMs: 0,
      presenceGraceMs: 300,
    })
    t.teardown(() => server.close())
    const visitors = Array.from({ length: 12 }, (_, index) => new Visitor(index))
    for (const { token, uid, channels } of visitors)
      server.cms.identities.set(token, { uid, channels, visibleTo: uids })
    const published = new Map<number, Published>()
    const changes: Change[] = []
    const changeMembership = async (uid: string, isMember: boolean) => {
      t.equal((await server.membership(isMember ? 'PUT' : 'DELETE', uid, club)).status, 200)
      // Nobody else writes meanwhile, so the newest place is that of the change.
      const { body } = await server.get('/cursor', { authorization: `Bearer ${serviceKey}` })
      changes.push({ n: place(String(body.cursor)), uid, isMember })
    }
    const publish = async (target: Target, data: unknown) => {
      const { status, body } = await server.post('/publish', { ...target, data })
      t.equal(status, 200)
      const isClub = 'channel' in target && target.channel === club
      published.set(place(String(body.id)), {
        target,
        mayExpire: false,
        ...(isClub && { standing: new Map() }),
      })
    }
    const choose = choices(seed)
    const began = performance.now()
    const idsOfClub = () =>
      visitors.flatMap(({ ids }) => ids.filter(id => published.get(id)?.standing !== undefined))
    // A busy machine needs longer until all have seen something, which is not what is asked here.
    const hasSeenEnough = () => visitors.every(({ ids }) => ids.length > 10) && idsOfClub().length > 10
    const isOver = () => {
      const passedMs = performance.now() - began
      return passedMs > runMs + longestWaitMs || (passedMs > runMs && hasSeenEnough())
    }
    const lives = visitors.map(visitor => visitor.live(server, isOver))
    while (!isOver()) {
      const target = choose<Target>([
        { channel: 'a' },
        { channel: 'b' },
        { channel: club },
        { channels: ['b', 'c'] },
        { channels: ['a', 'd'] },
        { uid: '2' },
        { uids: ['0', '3'] },
        { broadcast: true },
      ])
      await publish(target, 'x'.repeat(choose([1, 100, 20_000])))
      const what = choose(Array.from({ length: 60 }, (_, index) => index))
      if (what === 0) t.equal((await server.post('/kick', { uid: choose(['0', '1']), hold: 0 })).status, 200)
      else if (what === 1) t.equal((await server.post('/refresh', { uid: choose(uids) })).status, 200)
      else if (what < 6) await changeMembership(choose(uids), choose([true, true, false]))
      await pause(choose([0, 0, 1, 10]))
    }
    // Until the last one has seen it. The answer may come after the message, and is waited for, too.
    let areGone = false
    const ending = async () => {
      while (!areGone) {
        await publish({ broadcast: true }, 'the end')
        await pause(200)
      }
    }
    const gone = Promise.all(lives).finally(() => {
      areGone = true
    })
    await Promise.all([gone, ending()])
    for (const [n, { standing }] of published) {
      if (standing instanceof Map) for (const uid of uids) standing.set(uid, standingOf(uid, n, changes))
    }
    for (const [index, visitor] of visitors.entries()) {
      const until = visitor.ids.at(-1) ?? 0
      const seen = new Map([...published].filter(([id]) => id <= until))
      t.equal(deliveryFault(visitor, seen), undefined, `visitor ${index}, seed ${seed}`)
      t.ok(visitor.ids.length > 10, `visitor ${index} got ${visitor.ids.length} messages`)
    }
    t.ok(idsOfClub().length > 10, `members got ${idsOfClub().length} messages`)
    t.comment(
      `${published.size} messages, ${changes.length} changes, ${visitors.flatMap(({ gaps }) => gaps).length} gaps, seed ${seed}`,
    )
  },
)
