import type { Cursor } from '../cursor.js'
import { Frame } from '../frame.js'
import type { Entry } from '../log/entry.js'
import type { Command, Follower } from '../log/message-log.js'
import type { Window } from '../log/window.js'
import { routingKey } from '../message.js'
import { Audience } from './audience.js'
import { type CloseReason, closeFor, closeFrame } from './close-reason.js'
import { HubCounters } from './counters.js'
import { Outboxes, type OutboxesOptions } from './outboxes.js'
import { Places } from './places.js'
import { Presence, type PresenceOptions } from './presence.js'
import { Roster } from './roster.js'
import type { Join, Subscriber } from './subscriber.js'
import { Upkeep, type UpkeepOptions } from './upkeep.js'
import type { HubWatcher } from './watcher.js'

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

/**
 * Who listens to what, and the fan-out. It follows the log; applying an entry is one synchronous step, only the writing is
 * sliced over turns. Everything a subscriber gets goes through its outbox, so nothing overtakes.
 */
export class Hub implements Follower {
  readonly counters = new HubCounters()
  /** Who is online. */
  readonly presence: Presence
  readonly #options: HubOptions
  readonly #window: Window
  /** Who is connected. */
  readonly roster: Roster
  readonly #audience = new Audience<Subscriber>()
  readonly #outboxes: Outboxes
  readonly #places: Places
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
      onLost: subscriber => this.#places.lose(subscriber),
      onStall: subscriber => this.#upkeep.stall(subscriber),
    })
    this.#places = new Places({
      ...options,
      outboxes: this.#outboxes,
      counters: this.counters,
      spreadMs: () => this.spreadMs,
    })
    this.#upkeep = new Upkeep({
      ...options,
      outboxes: this.#outboxes,
      onAhead: subscriber => this.#places.giveUp(subscriber),
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

  /** How long, in ms, a return of everybody is to take. */
  get spreadMs(): number {
    return Math.ceil((this.size / this.#options.reconnectRate) * 1_000)
  }

  reset(floor: Cursor, birthMs: number): void {
    this.#window.reset(floor, birthMs)
    if (!this.#isFollowing) {
      this.#isFollowing = true
      return
    }
    this.#options.onReset()
    this.#audience.forEach(routingKey.broadcast, subscriber => this.#places.reset(subscriber))
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#window.add(entry)
      if (entry.kind === 'message') this.#deliver(entry.keys, entry.frame, entry.cursor.n)
      else this.#obey(entry.command, entry.cursor.ms)
    }
    this.#places.wake()
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

  /** Takes a subscriber in: `ready`, then what it has missed, or a gap; at once as far as one page goes. */
  join(subscriber: Subscriber, options: Join): void {
    const { sink, keys } = subscriber
    for (const key of keys) this.#audience.add(key, subscriber)
    this.#connections[sink.transport] += 1
    this.counters.connects += 1
    subscriber.id = this.counters.connects
    subscriber.joinedMs = Math.round(this.#options.clock.monotonic())
    this.#places.begin(subscriber, options)
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
    if (reason !== undefined) this.counters.closed[reason] = (this.counters.closed[reason] ?? 0) + 1
    const closing = reason && closeFrame(closeFor(reason, spreadMs))
    const { batch, reached } = this.#outboxes.last(subscriber, closing)
    this.#remove(subscriber)
    if (batch !== undefined) sink.write(batch)
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
    this.#places.forget(subscriber)
    this.#connections[subscriber.sink.transport] -= 1
    this.presence.leave(subscriber)
  }
}
