import type { Cancel, Clock } from '../clock.js'
import type { JsonPost } from './json-post.js'

/** What the CMS is told. */
export interface CmsEvent {
  readonly type: 'online' | 'offline'
  readonly uid: string
}

/** Milliseconds that the CMS may take for one event: one that hangs must not hold a place for ever. */
export const eventTimeoutMs = 5_000

/** Calls at once, at the most: a crowd that comes must not take the CMS down. */
const maxAtOnce = 16

/** Events that wait, at the most: a CMS that is away must not fill the memory. Beyond it the oldest is dropped. */
const maxWaiting = 10_000

/** How long, in ms, an event is tried: who came an hour ago may have gone, and the CMS has better things to do then. */
const giveUpAfterMs = 600_000

/** Bounds, in ms, of the pause before the next attempt. It doubles each time; a random half of it is left out. */
const [firstRetryMs, lastRetryMs] = [1_000, 30_000]

/** How long, in ms, what waits is still tried at the end: a stop must not wait for a CMS that is away. */
const closingMs = 1_000

/** Milliseconds between two lines of the log about lost events: there may be thousands of them. */
const lossLogMs = 10_000

/** What the reporter counted since it began. */
export interface EventCounters {
  /** Events that the CMS has taken. */
  told: number
  /** Calls in which it has not. */
  failures: number
  /** Events that it will not be told of: too many waited, or it was tried for too long. */
  lost: number
}

/** What the reporter needs. */
export interface EventReporterOptions {
  readonly clock: Clock
  /** Calls the events URL; closed with the reporter. */
  readonly post: Pick<JsonPost, 'send' | 'statusProblem' | 'close'>
  /** Takes a line of the log: data in fields, and a constant sentence. */
  readonly warn: (data: object, sentence: string) => void
}

interface Waiting {
  readonly event: CmsEvent
  /** When it was reported, monotonic. */
  readonly sinceMs: number
}

/** The events of one user, the first of which is sent, or tried again, before the others. */
interface Line {
  readonly uid: string
  readonly events: Waiting[]
  isSending: boolean
  /** Attempts of the first event that have failed. */
  failures: number
  /** Ends the pause before the next attempt. */
  stopPause: Cancel
}

/**
 * Tells the CMS, at the events URL, who came and who went: each event until it is taken (2xx), those of one user in their order,
 * several users at once. It holds up nobody, and remembers nothing beyond the process.
 *
 * While calls fail, one is made at a time, so that a CMS that comes up again is not run over. A user whose events it never takes
 * holds up no other.
 */
export class EventReporter {
  readonly counters: EventCounters = { told: 0, failures: 0, lost: 0 }
  readonly #options: EventReporterOptions
  readonly #lines = new Map<string, Line>()
  /** Lines that may go on, the one that has waited longest first. */
  readonly #ready = new Set<Line>()
  /** All events that were not taken yet, the oldest first. */
  readonly #events = new Map<Waiting, Line>()
  #sending = 0
  #isFailing = false
  #lossLoggedMs = Number.NEGATIVE_INFINITY
  #isOver = false
  #closed: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor(options: EventReporterOptions) {
    this.#options = options
  }

  /** Events that wait, and calls under way. */
  get size(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#events.size - this.#sending, running: this.#sending }
  }

  /** Has the CMS told. After `close` it does nothing. */
  report(event: CmsEvent): void {
    if (this.#closed !== undefined) return
    if (this.size.waiting >= maxWaiting) this.#dropOldest()
    const line = this.#lines.get(event.uid) ?? this.#begin(event.uid)
    const waiting = { event, sinceMs: this.#options.clock.monotonic() }
    line.events.push(waiting)
    this.#events.set(waiting, line)
    this.#send()
  }

  /** Tries for a short time to tell what waits, and gives up the rest. Calling it again gives the same promise. */
  close(): Promise<void> {
    this.#closed ??= this.#finish()
    return this.#closed
  }

  async #finish(): Promise<void> {
    const { clock, post } = this.#options
    for (const line of this.#lines.values()) if (!line.isSending) this.#goOn(line)
    this.#send()
    if (this.#lines.size > 0) {
      await new Promise<void>(resolve => {
        const cancel = clock.after(closingMs, resolve)
        this.#onIdle = () => {
          cancel()
          resolve()
        }
      })
    }
    this.#isOver = true
    for (const line of this.#lines.values()) line.stopPause()
    if (this.#events.size > 0) this.#lose(this.#events.size)
    post.close()
  }

  #begin(uid: string): Line {
    const line: Line = { uid, events: [], isSending: false, failures: 0, stopPause: () => {} }
    this.#lines.set(uid, line)
    this.#ready.add(line)
    return line
  }

  /** Makes as many calls as may be made now. */
  #send(): void {
    const { clock } = this.#options
    for (const line of this.#ready) {
      if (this.#sending >= (this.#isFailing ? 1 : maxAtOnce)) return
      this.#ready.delete(line)
      const [first] = line.events
      if (first === undefined) this.#lines.delete(line.uid)
      else if (clock.monotonic() - first.sinceMs < giveUpAfterMs) void this.#tell(line, first)
      else {
        this.#lose(1)
        this.#next(line, first)
      }
    }
    if (this.#lines.size === 0) this.#onIdle?.()
  }

  async #tell(line: Line, first: Waiting): Promise<void> {
    line.isSending = true
    this.#sending += 1
    const problem = await this.#call(first.event)
    if (this.#isOver) return
    line.isSending = false
    this.#sending -= 1
    if (problem === undefined) {
      this.counters.told += 1
      this.#isFailing = false
      this.#next(line, first)
    } else this.#retry(line, problem)
    this.#send()
  }

  /** Resolves to what went wrong; undefined: the CMS has taken it. */
  async #call(event: CmsEvent): Promise<string | undefined> {
    const { post } = this.#options
    try {
      const { status } = await post.send(event)
      return status >= 200 && status < 300 ? undefined : post.statusProblem(status, '2xx')
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Done with the line's first event. */
  #next(line: Line, first: Waiting): void {
    this.#events.delete(first)
    line.events.shift()
    line.failures = 0
    this.#goOn(line)
  }

  #goOn(line: Line): void {
    line.stopPause()
    this.#ready.add(line)
  }

  #retry(line: Line, problem: string): void {
    const { clock, warn } = this.#options
    this.counters.failures += 1
    if (!this.#isFailing) warn({ problem }, 'an event could not be told to the CMS; it is tried again')
    this.#isFailing = true
    const pauseMs = Math.min(lastRetryMs, firstRetryMs * 2 ** line.failures) * (0.5 + 0.5 * Math.random())
    line.failures += 1
    line.stopPause = clock.after(pauseMs, () => {
      this.#goOn(line)
      this.#send()
    })
  }

  #dropOldest(): void {
    for (const [waiting, line] of this.#events) {
      const index = line.events.indexOf(waiting)
      if (line.isSending && index === 0) continue
      line.events.splice(index, 1)
      this.#events.delete(waiting)
      this.#lose(1)
      return
    }
  }

  #lose(count: number): void {
    const { clock, warn } = this.#options
    this.counters.lost += count
    if (clock.monotonic() - this.#lossLoggedMs < lossLogMs) return
    this.#lossLoggedMs = clock.monotonic()
    warn({ lost: this.counters.lost }, 'events were not told to the CMS: too many waited, or for too long')
  }
}
