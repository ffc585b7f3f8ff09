import fc from 'fast-check'
import t from 'tap'
import { deliveryFault, type Published } from '../helpers/delivery.js'
import { PollReader } from '../helpers/poll-reader.js'
import type { Reader, ReaderEvent } from '../helpers/reader.js'
import { seed } from '../helpers/seed.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import type { Target } from '../helpers/target.js'

/**
 * The same property as the hub's, over real sockets: readers on either transport connect, change it, drop, stall and come back at
 * random, while messages and kicks flow through a window that forgets soon.
 */

const channels = ['a', 'b', 'c', 'd']
const runMs = 5_000

/** A generator of random choices that a seed repeats; how they fall in time is for the machine to say. */
function choices(from: number): <Item>(items: readonly Item[]) => Item {
  const draw = fc.sample(fc.nat(1_000_000), { seed: from, numRuns: 5_000 })
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
    })
    t.teardown(() => server.close())
    const visitors = Array.from({ length: 12 }, (_, index) => new Visitor(index))
    for (const { token, uid, channels } of visitors) server.cms.identities.set(token, { uid, channels })
    const published = new Map<number, Published>()
    const publish = async (target: Target, data: unknown) => {
      const { status, body } = await server.post('/publish', { ...target, data })
      t.equal(status, 200)
      published.set(place(String(body.id)), { target, mayExpire: false })
    }
    const choose = choices(seed)
    const overAt = performance.now() + runMs
    const isOver = () => performance.now() > overAt
    const lives = visitors.map(visitor => visitor.live(server, isOver))
    while (!isOver()) {
      const target = choose<Target>([
        { channel: 'a' },
        { channel: 'b' },
        { channels: ['b', 'c'] },
        { channels: ['a', 'd'] },
        { uid: '2' },
        { uids: ['0', '3'] },
        { broadcast: true },
      ])
      await publish(target, 'x'.repeat(choose([1, 100, 20_000])))
      if (choose(Array.from({ length: 60 }, (_, index) => index)) === 0) {
        t.equal((await server.post('/kick', { uid: choose(['0', '1']), hold: 0 })).status, 200)
      }
      await pause(choose([0, 0, 1, 10]))
    }
    const end = setInterval(() => void publish({ broadcast: true }, 'the end'), 200)
    t.teardown(() => clearInterval(end))
    await Promise.all(lives)
    clearInterval(end)
    for (const [index, visitor] of visitors.entries()) {
      const until = visitor.ids.at(-1) ?? 0
      const seen = new Map([...published].filter(([id]) => id <= until))
      t.equal(deliveryFault(visitor, seen), undefined, `visitor ${index}, seed ${seed}`)
      t.ok(visitor.ids.length > 10, `visitor ${index} got ${visitor.ids.length} messages`)
    }
    t.comment(`${published.size} messages, ${visitors.flatMap(({ gaps }) => gaps).length} gaps, seed ${seed}`)
  },
)
