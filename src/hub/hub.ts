import { type Cursor, formatCursor, type Since } from '../cursor.js'
import { Frame } from '../frame.js'
import type { Entry } from '../log/entry.js'
import type { Command, Follower } from '../log/message-log.js'
import type { GapReason, Window } from '../log/window.js'
import { routingKey } from '../message.js'
import { Audience } from './audience.js'
import { type CloseReason, closeFor, closeFrame } from './close-reason.js'
import { type DeliveryCounters, Outboxes, type OutboxesOptions } from './outboxes.js'
import { Presence, type PresenceOptions } from './presence.js'
import { Roster } from './roster.js'
import type { Subscriber } from './subscriber.js'
import { Upkeep, type UpkeepOptions } from './upkeep.js'

/** What the hub needs. */
export interface HubOptions
  extends Pick<OutboxesOptions, 'clock' | 'window' | 'outboxBytes'>,
    Pick<UpkeepOptions, 'heartbeatMs' | 'slowAfterMs'>,
    Pick<PresenceOptions, 'presenceGraceMs' | 'presenceQuietMs'> {
  /** Reconnects a second that are asked for when everybody has to come back. */
  readonly reconnectRate: number
  /** A command, stored at the Unix time `storedMs`, was read from the log; called before its effect on connections. */
  readonly onCommand: (command: Command, storedMs: number) => void
  /** The log was begun anew or lost its tail; called before anybody is told. */
  readonly onReset: () => void
  /** A user came online or went offline; undefined: nobody wants to know. MUST NOT throw. */
  readonly onPresence: PresenceOptions['onEvent']
  /** Told of every connection; undefined: nobody is. */
  readonly watcher?: HubWatcher | undefined
}

/** Why a connection is over: why it was closed, `left` where the client went, `answered` where a poll was. */
export type EndReason = CloseReason | 'left' | 'answered'

/** Somebody who wants to know who comes and goes. Neither may throw, nor call the hub. */
export interface HubWatcher {
  opened(subscriber: Subscriber): void
  ended(subscriber: Subscriber, reason: EndReason): void
}

/** How a subscriber begins. */
export interface Join {
  /** Where it wants to go on from; undefined: from *applied*. */
  readonly since: Since | undefined
  /** The JSON of its `ready`; undefined: it has that already. */
  readonly ready: string | undefined
  /** Whether the client has never received anything before. */
  readonly isInitial: boolean
  /** Milliseconds after which it ends; undefined: never. */
  readonly lifeMs: number | undefined
  /** Milliseconds after which something falls due for its owner; undefined: nothing does. */
  readonly recheckMs: number | undefined
  /** When the CMS was asked about its identity, on the clock's monotonic scale; undefined: it was not. */
  readonly heardMs: number | undefined
}

/** What the hub counted since it began. */
export interface HubCounters extends DeliveryCounters {
  messages: number
  /** Streams and polls that began. */
  connects: number
  gaps: number
  closed: Partial<Record<CloseReason, number>>
}

/**
 * Who listens to what, and the fan-out. It follows the log; applying an entry is one synchronous step, only the writing is
 * sliced over turns. Everything a subscriber gets goes through its outbox, so nothing overtakes.
 */
export class Hub implements Follower {
  readonly counters: HubCounters = {
    messages: 0,
    connects: 0,
    deliveries: 0,
    overflows: 0,
    gaps: 0,
    closed: {},
  }
  /** Who is online. */
  readonly presence: Presence
  readonly #options: HubOptions
  readonly #window: Window
  /** Who is connected. */
  readonly roster: Roster
  readonly #audience = new Audience<Subscriber>()
  /** Who waits for which place. */
  readonly #waiting = new Map<Subscriber, Cursor>()
  readonly #outboxes: Outboxes
  readonly #upkeep: Upkeep
  #isFollowing = false
  readonly #connections = { sse: 0, poll: 0 }

  constructor(options: HubOptions) {
    this.#options = options
    this.#window = options.window
    this.roster = new Roster(options.clock, options.window, this.#audience)
    this.#outboxes = new Outboxes({
      ...options,
      counters: this.counters,
      onLost: subscriber => this.#gap(subscriber, 'old', false),
      onStall: subscriber => this.#upkeep.stall(subscriber),
    })
    this.#upkeep = new Upkeep({
      ...options,
      outboxes: this.#outboxes,
      onAhead: subscriber => this.#giveUpWaiting(subscriber),
      onEnd: (subscriber, reason) => this.close(subscriber, reason),
    })
    this.presence = new Presence({
      ...options,
      onEvent: options.onPresence,
      onFrame: (viewer, frame) =>
        this.#audience.forEach(routingKey.uid(viewer), subscriber =>
          this.#outboxes.offerPresence(subscriber, frame),
        ),
      onStale: viewer =>
        this.#audience.forEach(routingKey.uid(viewer), subscriber => subscriber.owner.renew(subscriber)),
    })
  }

  /** Open streams and waiting polls. */
  get connections(): Readonly<{ sse: number; poll: number }> {
    return this.#connections
  }

  /** Everybody who is connected. */
  get size(): number {
    return this.#connections.sse + this.#connections.poll
  }

  /** Subscribers whose outbox waits to be written. */
  get queued(): number {
    return this.#outboxes.queued
  }

  /** Channels, users and the whole that somebody listens on. */
  get listenedKeys(): number {
    return this.#audience.size
  }

  /** Whether the user has an open stream or a waiting poll. */
  isConnected(uid: string): boolean {
    return this.#audience.has(routingKey.uid(uid))
  }

  /** How long, in ms, a return of everybody is to take. */
  get spreadMs(): number {
    return Math.ceil((this.size / this.#options.reconnectRate) * 1_000)
  }

  // --- the log -----------------------------------------------------------------------------------------------------------

  reset(floor: Cursor, birthMs: number): void {
    this.#window.reset(floor, birthMs)
    if (!this.#isFollowing) {
      this.#isFollowing = true
      return
    }
    this.#options.onReset()
    this.#audience.forEach(routingKey.broadcast, subscriber => {
      this.#outboxes.dropMessages(subscriber)
      this.#gap(subscriber, 'reset', false)
      this.#outboxes.queue(subscriber)
    })
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#window.add(entry)
      if (entry.kind === 'message') this.#deliver(entry.keys, entry.frame, entry.cursor.n)
      else this.#obey(entry.command, entry.cursor.ms)
    }
    if (this.#waiting.size > 0) this.#wakeWaiting()
  }

  #deliver(keys: readonly string[], frame: Frame, n: number): void {
    this.counters.messages += 1
    for (const key of keys)
      this.#audience.forEach(key, subscriber => this.#outboxes.offer(subscriber, frame, n))
  }

  #obey(command: Command, storedMs: number): void {
    this.#options.onCommand(command, storedMs)
    if (command.kind === 'logout') {
      this.#audience.forEach(routingKey.broadcast, subscriber => {
        if (subscriber.tokenHash === command.tokenHash) this.close(subscriber, 'logout')
      })
      return
    }
    this.#audience.forEach(routingKey.uid(command.uid), subscriber => {
      if (command.kind === 'kick') this.close(subscriber, 'kick')
      else if (command.kind === 'refresh') subscriber.owner.recheck(subscriber)
      else subscriber.owner.reconsider(subscriber)
    })
  }

  // --- subscribers -------------------------------------------------------------------------------------------------------

  /** Takes a subscriber in: `ready`, then what it has missed, or a gap; at once as far as one page goes. */
  join(subscriber: Subscriber, options: Join): void {
    const { sink, keys } = subscriber
    for (const key of keys) this.#audience.add(key, subscriber)
    this.#connections[sink.transport] += 1
    this.counters.connects += 1
    subscriber.id = this.counters.connects
    subscriber.joinedMs = Math.round(this.#options.clock.monotonic())
    const start = this.#window.start(options.since, keys)
    if (options.ready !== undefined) {
      // Before a gap the id is the one that was given: were it later, a cut between the two would hide the gap.
      const given =
        typeof options.since === 'object' && 'cursor' in options.since ? options.since.cursor : undefined
      this.#outboxes.put(
        subscriber,
        new Frame('ready', start.kind === 'good' ? start.from : given, options.ready),
      )
    }
    if (start.kind === 'good') subscriber.position = start.from.n
    else if (start.kind === 'gap') this.#gap(subscriber, start.reason, options.isInitial, options.since)
    else {
      subscriber.state = 'waiting'
      subscriber.position = start.place.n
      this.#waiting.set(subscriber, start.place)
    }
    this.#upkeep.begin(subscriber, options.lifeMs, options.recheckMs)
    this.presence.enter(subscriber, options.heardMs)
    this.#options.watcher?.opened(subscriber)
    this.#outboxes.flush(subscriber)
  }

  /** The connection is gone. */
  leave(subscriber: Subscriber): void {
    if (subscriber.state !== 'closed') this.#options.watcher?.ended(subscriber, 'left')
    this.#remove(subscriber)
    this.#upkeep.forget(subscriber)
  }

  /** The sink is no longer blocked. */
  drained(subscriber: Subscriber): void {
    if (subscriber.state !== 'waiting') subscriber.stalledTick = 0
    if (subscriber.pending !== undefined || subscriber.state === 'catching-up' || subscriber.hasLostPresence)
      this.#outboxes.queue(subscriber)
  }

  /** Gives a live subscriber other routing keys from now on, and tells it by a new `ready`. */
  update(subscriber: Subscriber, keys: readonly string[], ready: string): void {
    if (subscriber.state === 'closed') return
    for (const key of subscriber.keys) if (!keys.includes(key)) this.#audience.remove(key, subscriber)
    for (const key of keys) this.#audience.add(key, subscriber)
    subscriber.keys = keys
    this.renew(subscriber, ready)
  }

  /** Tells a subscriber by a new `ready` what has become of what the last one said. */
  renew(subscriber: Subscriber, ready: string): void {
    if (subscriber.state === 'closed') return
    this.#outboxes.put(subscriber, new Frame('ready', undefined, ready))
    this.#outboxes.queue(subscriber)
  }

  /** Other users may see from now on that the subscriber's user is online, by what the CMS was asked at `heardMs`. */
  reveal(subscriber: Subscriber, visibleTo: readonly string[], heardMs: number | undefined): void {
    if (subscriber.state !== 'closed') this.presence.reveal(subscriber, visibleTo, heardMs)
  }

  /** Sets the next time, `ms` from now, at which something falls due for the subscriber's owner. */
  recheckIn(subscriber: Subscriber, ms: number): void {
    if (subscriber.state !== 'closed') this.#upkeep.recheckIn(subscriber, ms)
  }

  /** Ends a subscriber: what waits for it is still sent, then `close` with the reason (none: just the end). */
  close(subscriber: Subscriber, reason: CloseReason | undefined, spreadMs = this.spreadMs): void {
    if (subscriber.state === 'closed') return
    this.#options.watcher?.ended(subscriber, reason ?? 'answered')
    const { sink } = subscriber
    let hasAll = subscriber.state === 'live'
    if (reason !== undefined) {
      this.counters.closed[reason] = (this.counters.closed[reason] ?? 0) + 1
      // A blocked sink takes no more messages: the client has its cursor and comes back for them.
      if (sink.isBlocked && subscriber.pending !== undefined) {
        subscriber.pending = undefined
        hasAll = false
      }
      this.#outboxes.put(subscriber, closeFrame(closeFor(reason, spreadMs)))
    }
    const last = subscriber.pending
    const reached = hasAll ? this.#window.applied : undefined
    this.#remove(subscriber)
    if (last !== undefined) sink.write(last)
    sink.end(reached)
    this.#upkeep.linger(subscriber)
  }

  /** Closes everybody. The spread is over those who are here now, so it is measured before the first has gone. */
  closeAll(reason: CloseReason, spreadMs = this.spreadMs): void {
    this.#audience.forEach(routingKey.broadcast, subscriber => this.close(subscriber, reason, spreadMs))
  }

  /** Cuts those who were closed and have not yet taken what was left for them. */
  cut(): void {
    this.#upkeep.cut()
  }

  /** Stops the timer; nothing is written any more by itself. */
  stop(): void {
    this.#upkeep.stop()
    this.presence.stop()
  }

  #remove(subscriber: Subscriber): void {
    if (subscriber.state === 'closed') return
    subscriber.state = 'closed'
    subscriber.pending = undefined
    for (const key of subscriber.keys) this.#audience.remove(key, subscriber)
    this.#waiting.delete(subscriber)
    this.#connections[subscriber.sink.transport] -= 1
    this.presence.leave(subscriber)
  }

  // --- catching up -------------------------------------------------------------------------------------------------------

  /** What stands at the place now may be another entry: the place is of a tail that the log lost, say. */
  #wakeWaiting(): void {
    for (const [subscriber, place] of this.#waiting) {
      const start = this.#window.start({ cursor: place }, subscriber.keys)
      if (start.kind === 'ahead') continue
      if (start.kind === 'good') this.#stopWaiting(subscriber, 'catching-up')
      else this.#gap(subscriber, start.reason, false, { cursor: place })
      this.#outboxes.queue(subscriber)
    }
  }

  #stopWaiting(subscriber: Subscriber, state: 'catching-up' | 'live'): void {
    this.#waiting.delete(subscriber)
    // Who does not read must still make progress in time.
    if (!subscriber.sink.isBlocked) subscriber.stalledTick = 0
    subscriber.state = state
  }

  #gap(subscriber: Subscriber, reason: GapReason, isInitial: boolean, since?: Since): void {
    this.counters.gaps += 1
    const { applied } = this.#window
    this.#stopWaiting(subscriber, 'live')
    subscriber.position = applied.n
    const gap = {
      since: sinceText(since),
      cursor: formatCursor(applied),
      reason,
      spreadMs: this.spreadMs,
      initial: isInitial,
    }
    this.#outboxes.put(subscriber, new Frame('gap', applied, JSON.stringify(gap)))
  }

  /** The place that was waited for is not reached. */
  #giveUpWaiting(subscriber: Subscriber): void {
    const place = this.#waiting.get(subscriber)
    this.#gap(subscriber, 'ahead', false, place && { cursor: place })
    this.#outboxes.queue(subscriber)
  }
}

function sinceText(since: Since | undefined): string | null {
  if (since === undefined || since === 'malformed') return null
  return 'cursor' in since ? formatCursor(since.cursor) : String(since.timeMs)
}
