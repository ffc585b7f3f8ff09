import type { Test } from 'tap'
import type { Cursor } from '../../src/cursor.js'
import type { Entry } from '../../src/log/entry.js'
import type { Follower, MessageLog, Retention } from '../../src/log/message-log.js'
import { type Message, routingKey } from '../../src/message.js'
import type { FakeClock } from '../helpers/clock.js'

/** What every log is told when it is made. */
export interface LogOptions {
  readonly retention: Retention
  readonly idempotencyWindowMs: number
}

/** A new, empty log, as the suite gets to know it. */
export interface LogUnderTest {
  readonly log: MessageLog
  /** The same log as another node has it; where only one node can have it: `log` again. */
  readonly other: MessageLog
  /** The log's time. Undefined where a test cannot move it; the cases that need it are skipped there. */
  readonly clock: FakeClock | undefined
  /** Gives back what the log stood on, after both were closed. */
  dispose?(): Promise<void>
}

/** Makes a new log for each case. */
export type CreateLog = (options: LogOptions) => Promise<LogUnderTest>

/** A log that is closed when the test ends; it holds much, unless the test says otherwise. */
export async function begin(
  t: Test,
  create: CreateLog,
  retention: Partial<Retention> = {},
): Promise<LogUnderTest> {
  const tested = await create({
    retention: { entries: 10_000, ageMs: 3_600_000, bytes: 100_000_000, ...retention },
    idempotencyWindowMs: 300_000,
  })
  t.teardown(async () => {
    await tested.log.close()
    await tested.other.close()
    await tested.dispose?.()
  })
  return tested
}

/** The log's clock, or undefined after skipping the rest of the case. */
export function clockOf(t: Test, { clock }: LogUnderTest): FakeClock | undefined {
  if (clock === undefined) t.pass('moves time', { skip: 'the time of this log cannot be moved' })
  return clock
}

/** A message whose data is `data`, for the channel `news` unless said otherwise. */
export function message(data: unknown, extra: Partial<Message> = {}): Message {
  return { kind: 'message', keys: [routingKey.channel('news')], json: JSON.stringify({ data }), ...extra }
}

/** A follower that keeps what it is told, and can be waited for. */
export class Recorder implements Follower {
  readonly entries: Entry[] = []
  readonly resets: { readonly floor: Cursor; readonly birthMs: number }[] = []
  /** How often it was called. */
  calls = 0
  #wake = () => {}

  reset(floor: Cursor, birthMs: number): void {
    this.calls += 1
    this.resets.push({ floor, birthMs })
    this.#wake()
  }

  apply(entries: readonly Entry[]): void {
    this.calls += 1
    this.entries.push(...entries)
    this.#wake()
  }

  /** The place before the first entry. */
  get floor(): Cursor | undefined {
    return this.resets[0]?.floor
  }

  /** What the entries say: the data of a message, or a command. */
  get story(): readonly unknown[] {
    return this.entries.map(entry =>
      entry.kind === 'message' ? JSON.parse(entry.frame.json).data : entry.command,
    )
  }

  get cursors(): readonly Cursor[] {
    return this.entries.map(({ cursor }) => cursor)
  }

  /** Waits until it has been reset and has got so many entries. */
  async has(count: number): Promise<this> {
    while (this.resets.length === 0 || this.entries.length < count) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this
  }
}

/** Follows the log from now on. */
export function record(log: MessageLog): Recorder {
  const recorder = new Recorder()
  log.follow(recorder)
  return recorder
}

/** Everything that the log holds: `count` entries, as somebody gets them who joins now. */
export async function held(log: MessageLog, count: number): Promise<Recorder> {
  const recorder = new Recorder()
  const stop = log.follow(recorder)
  await recorder.has(count)
  stop()
  return recorder
}

/** Checks that the entries follow the floor without a hole, and that time never goes back. */
export function checkWhole(t: Test, { resets, floor, cursors }: Recorder): void {
  t.equal(resets.length, 1, 'the follower never lost its place')
  let last = floor
  for (const cursor of cursors) {
    if (last !== undefined && cursor.n === last.n + 1 && cursor.ms >= last.ms) last = cursor
    else return void t.fail('an entry does not follow the last one', { last, cursor })
  }
  t.pass('the entries follow one another')
}
