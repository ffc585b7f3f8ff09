import type { Clock } from '../clock.js'

/** Milliseconds of one tick: how exactly anything here is kept. */
export const tickMs = 250

/** Something that is due at a tick; `slot` belongs to the wheel, 0 when it is on none. */
export interface Timed {
  slot: number
}

/** One timer for everybody: items stand in the slot of the tick at which they are next due. */
export class TimerWheel<Item extends Timed> {
  readonly #clock: Clock
  readonly #due: (item: Item, tick: number) => void
  readonly #slots = new Map<number, Set<Item>>()
  readonly #startMs: number
  #tick: number
  readonly stop: () => void

  constructor(clock: Clock, due: (item: Item, tick: number) => void) {
    this.#clock = clock
    this.#due = due
    this.#startMs = clock.monotonic()
    this.#tick = this.now
    this.stop = clock.every(tickMs, () => this.#turn())
  }

  /** The current tick. Counted from the wheel's start and never 0, so that it fits a small integer and 0 can mean never. */
  get now(): number {
    return 1 + Math.floor((this.#clock.monotonic() - this.#startMs) / tickMs)
  }

  /** The tick that is `ms` away; at least the next one. */
  in(ms: number): number {
    return this.now + Math.max(1, Math.ceil(ms / tickMs))
  }

  /** Makes the item due at `tick` (the next one, if that has passed; 0: never) and at no other time. */
  schedule(item: Item, tick: number): void {
    if (tick === 0) {
      this.remove(item)
      return
    }
    const slot = Math.max(tick, this.#tick + 1)
    if (item.slot === slot) return
    this.remove(item)
    item.slot = slot
    const items = this.#slots.get(slot)
    if (items === undefined) this.#slots.set(slot, new Set([item]))
    else items.add(item)
  }

  /** All that stand on the wheel, in no order. */
  *items(): Generator<Item> {
    for (const items of this.#slots.values()) yield* items
  }

  remove(item: Item): void {
    const items = this.#slots.get(item.slot)
    item.slot = 0
    if (items === undefined) return
    items.delete(item)
  }

  #turn(): void {
    const now = this.now
    while (this.#tick < now) {
      this.#tick += 1
      const items = this.#slots.get(this.#tick)
      if (items === undefined) continue
      this.#slots.delete(this.#tick)
      for (const item of items) {
        item.slot = 0
        this.#due(item, now)
      }
    }
  }
}
