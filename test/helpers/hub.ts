import type { Cursor } from '../../src/cursor.js'
import type { Frame } from '../../src/frame.js'
import type { Batch } from '../../src/hub/batch.js'
import { Hub, type HubOptions } from '../../src/hub/hub.js'
import { type Join, type Sink, Subscriber, type SubscriberOptions } from '../../src/hub/subscriber.js'
import { MemoryLog } from '../../src/log/memory-log.js'
import type { Command, Retention } from '../../src/log/message-log.js'
import { Window } from '../../src/log/window.js'
import { parseMessages, routingKey } from '../../src/message.js'
import { FakeClock } from './clock.js'

/** A sink that keeps what it is handed, and is blocked when a test says so. */
export class FakeSink implements Sink {
  readonly transport = 'sse'
  readonly pageBytes: number
  readonly frames: Frame[] = []
  isBlocked = false
  isEnded = false
  isDestroyed = false
  reached: Cursor | undefined

  constructor(pageBytes = 64 * 1024) {
    this.pageBytes = pageBytes
  }

  readonly backlogBytes = 0

  write(batch: Batch): void {
    if (this.isEnded || this.isDestroyed) throw new Error('written to after the end')
    this.frames.push(...batch.frames())
  }

  end(reached: Cursor | undefined): void {
    this.isEnded = true
    this.reached = reached
  }

  destroy(): void {
    this.isDestroyed = true
  }

  /** The frames as words: `message 3`, `gap old`, `close kick`, `7 online`, … */
  get story(): readonly string[] {
    return this.frames.map(({ event, cursor, json, isPresence }) => {
      if (isPresence) {
        const { uid, event: what } = JSON.parse(json).data
        return `${uid} ${what}`
      }
      if (event === 'gap' || event === 'close') return `${event} ${JSON.parse(json).reason}`
      return event === 'message' ? `message ${cursor?.n}` : event
    })
  }
}

/** A hub on a memory log, with a clock that stands still. */
export interface TestHub {
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly window: Window
  readonly hub: Hub
  readonly commands: Command[]
  /** Publishes messages (as the body of a publish call) and lets the turn end. */
  publish(body: unknown): Promise<void>
  /** Joins with the given channels and lets the turn end. */
  join(
    channels: readonly string[],
    options?: Partial<Join> &
      Partial<Pick<SubscriberOptions, 'uid' | 'visibleTo' | 'tokenHash' | 'owner'>> & { sink?: FakeSink },
  ): { readonly subscriber: Subscriber; readonly sink: FakeSink }
}

/** The routing keys of a subscriber. */
export function subscriberKeys(channels: readonly string[], uid: string | null): readonly string[] {
  const keys = [routingKey.broadcast, ...channels.map(routingKey.channel)]
  return uid === null ? keys : [...keys, routingKey.uid(uid)]
}

export const limits = { maxDataBytes: 1_048_576, maxMessages: 1_000, maxChannelBytes: 200 }

export function createTestHub(
  overrides: Partial<HubOptions & { retention: Retention; clock: FakeClock }> = {},
): TestHub {
  const clock = overrides.clock ?? new FakeClock()
  const retention = overrides.retention ?? { entries: 1_000, ageMs: 3_600_000, bytes: 1e9 }
  const log = new MemoryLog({ clock, retention, idempotencyWindowMs: 300_000 })
  const window = new Window({ clock, retention })
  const commands: Command[] = []
  const hub = new Hub({
    clock,
    window,
    heartbeatMs: 25_000,
    outboxBytes: 1_048_576,
    slowAfterMs: 30_000,
    reconnectRate: 500,
    onCommand: command => commands.push(command),
    onReset: () => {},
    presenceGraceMs: 5_000,
    presenceQuietMs: 0,
    onPresence: undefined,
    ...overrides,
  })
  log.follow(hub)
  return {
    clock,
    log,
    window,
    hub,
    commands,
    publish: async body => {
      await log.append(parseMessages(body, limits))
      clock.turn()
    },
    join: (channels, options = {}) => {
      const sink = options.sink ?? new FakeSink()
      const uid = options.uid ?? null
      const keys = subscriberKeys(channels, uid)
      const subscriber = new Subscriber({
        sink,
        owner: options.owner ?? {
          due: () => {},
          recheck: () => {},
          reconsider: () => {},
          renew: () => {},
        },
        uid,
        visibleTo: options.visibleTo ?? [],
        tokenHash: options.tokenHash,
        keys,
        endReason: 'age',
      })
      hub.join(subscriber, {
        since: undefined,
        ready: '{}',
        isInitial: true,
        lifeMs: undefined,
        recheckMs: undefined,
        heardMs: undefined,
        ...options,
      })
      clock.turn()
      return { subscriber, sink }
    },
  }
}
