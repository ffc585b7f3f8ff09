import { type Faults, NO_FAULTS } from './faults.js'
import { Histogram } from './histogram.js'
import { SPREAD_EACH, spreadPlace } from './spread.js'

/** What every subscriber must get in a phase: `messages` from each of its sources, numbered from 1. */
export interface PhasePlan {
  /** Number of the phase, from 1; 0 is the time before the first. */
  readonly phase: number
  readonly sources: number
  readonly messages: number
  /** Sources are the channels of {@link spreadChannels}, so that each subscriber has five of them; else everybody has all. */
  readonly isSpread: boolean
  /**
   * The server is killed in it: that all connections end is no fault, once, and a `gap` is none, but makes up for all that its
   * subscriber still misses. Only the native reader knows this.
   */
  readonly hasCrash: boolean
}

/** The plan while nothing is published: whatever comes then is one too many. */
export const QUIET: PhasePlan = { phase: 0, sources: 0, messages: 0, isSpread: false, hasCrash: false }

/**
 * What has come of a phase, at every subscriber of one process: nothing is sampled.
 *
 * The usual case, the next number of a source, costs an addition in a flat table. Only a subscriber at which something went
 * wrong gets a set of what it still misses, so that a late message is told from one that came twice.
 */
export class PhaseLedger {
  readonly plan: PhasePlan
  readonly #connected: number
  readonly #first: number
  /** How many sources a subscriber has. */
  readonly #each: number
  readonly #last: Int32Array
  readonly #missing = new Map<number, Set<number>>()
  readonly #latency = new Histogram()
  #delivered = 0
  #duplicated = 0
  #disordered = 0
  #lastMicros = 0

  /**
   * @param subscribers how many there are, of which `connected` must get what is planned
   * @param first number of the first
   */
  constructor(plan: PhasePlan, subscribers: number, connected = subscribers, first = 0) {
    this.plan = plan
    this.#connected = connected
    this.#first = first
    this.#each = plan.isSpread ? SPREAD_EACH : plan.sources
    this.#last = new Int32Array(subscribers * this.#each)
  }

  /** How many messages came, each counted once. */
  get delivered(): number {
    return this.#delivered
  }

  /** How many must come. */
  get expected(): number {
    return this.#connected * this.#each * this.plan.messages
  }

  /** When the last message was read, in µs of the bench's clock; 0 before the first. */
  get lastMicros(): number {
    return this.#lastMicros
  }

  /** How long the messages took, from publishing to reading. */
  get latency(): Histogram {
    return this.#latency
  }

  /**
   * One message has come.
   *
   * @param phase what its stamp says; a message of another phase, for somebody else, or whose stamp is unreadable (`NaN`), is one
   * that came twice or far too late, and is counted as such
   * @param readMicros when it was read
   * @returns whether it came for the first time
   */
  record(
    subscriber: number,
    phase: number,
    source: number,
    sequence: number,
    sentMicros: number,
    readMicros: number,
  ): boolean {
    const isOfPlan = phase === this.plan.phase && source < this.plan.sources && sequence <= this.plan.messages
    const place = this.plan.isSpread ? spreadPlace(this.#first + subscriber, source) : source
    if (!isOfPlan || place === undefined || Number.isNaN(sentMicros)) {
      this.#duplicated++
      return false
    }
    const cell = subscriber * this.#each + place
    const last = this.#last[cell] ?? 0
    if (sequence === last + 1) this.#last[cell] = sequence
    else if (!this.#recordUnexpected(cell, last, sequence)) return false
    this.#delivered++
    this.#latency.add(readMicros - sentMicros)
    this.#lastMicros = readMicros
    return true
  }

  /** Something else is out of order: an event id that did not grow. */
  recordDisorder(): void {
    this.#disordered++
  }

  /** What is wrong so far. Before the end of the phase, what is on its way counts as lost. */
  faults(): Faults {
    return {
      ...NO_FAULTS,
      lost: this.expected - this.#delivered,
      duplicated: this.#duplicated,
      disordered: this.#disordered,
    }
  }

  /** Whether the message, which is not the next one, came for the first time. */
  #recordUnexpected(cell: number, last: number, sequence: number): boolean {
    const missing = this.#missing.get(cell) ?? new Set()
    if (sequence > last) {
      for (let absent = last + 1; absent < sequence; absent++) missing.add(absent)
      this.#missing.set(cell, missing)
      this.#last[cell] = sequence
      return true
    }
    if (missing.delete(sequence)) {
      this.#disordered++
      return true
    }
    this.#duplicated++
    return false
  }
}
