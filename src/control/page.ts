/**
 * The first `limit` of many items in the order of their keys, after a place: chosen in one pass over items in any order, without
 * holding or sorting all of them. An item with a key that is there already replaces the other.
 */
export class Page<Key extends string | number, Item> {
  readonly #limit: number
  readonly #after: Key | undefined
  readonly #held = new Map<Key, Item>()
  /** A key above which nothing can belong to the page any more. */
  #bound: Key | undefined

  /** `after`: only keys above it count; undefined: all. */
  constructor(limit: number, after: Key | undefined) {
    this.#limit = limit
    this.#after = after
  }

  /** Takes the item in if it may belong to the page. */
  offer(key: Key, item: Item): void {
    if (this.#after !== undefined && key <= this.#after) return
    if (this.#bound !== undefined && key > this.#bound) return
    this.#held.set(key, item)
    // Sorted only when as many again have come: all in all n log limit steps.
    if (this.#held.size >= 2 * (this.#limit + 1)) this.#shrink()
  }

  /** The page, in order; `next`: the place after which there is more, undefined when there is none. */
  take(): { readonly items: readonly Item[]; readonly next: Key | undefined } {
    this.#shrink()
    const entries = [...this.#held].sort(([one], [other]) => (one < other ? -1 : 1))
    const shown = entries.slice(0, this.#limit)
    return {
      items: shown.map(([, item]) => item),
      next: entries.length > shown.length ? shown.at(-1)?.[0] : undefined,
    }
  }

  /** Keeps one more than the page has, to know whether there is more. */
  #shrink(): void {
    const keys = [...this.#held.keys()].sort((one, other) => (one < other ? -1 : 1))
    for (const key of keys.slice(this.#limit + 1)) this.#held.delete(key)
    if (keys.length > this.#limit) this.#bound = keys[this.#limit]
  }
}
