/** Who listens on which key. Most keys have one listener (a user's own channel), so one costs no set. */
export class Audience<Listener extends object> {
  readonly #listeners = new Map<string, Listener | Set<Listener>>()

  /** Keys that somebody listens on. */
  get size(): number {
    return this.#listeners.size
  }

  /** Whether anybody listens on the key. */
  has(key: string): boolean {
    return this.#listeners.has(key)
  }

  add(key: string, listener: Listener): void {
    const there = this.#listeners.get(key)
    if (there === undefined) this.#listeners.set(key, listener)
    else if (there instanceof Set) there.add(listener)
    else if (there !== listener) this.#listeners.set(key, new Set([there, listener]))
  }

  remove(key: string, listener: Listener): void {
    const there = this.#listeners.get(key)
    if (there === listener) this.#listeners.delete(key)
    else if (there instanceof Set && there.delete(listener) && there.size === 0) this.#listeners.delete(key)
  }

  /** The keys that somebody listens on. */
  keys(): Iterable<string> {
    return this.#listeners.keys()
  }

  /** How many listen on the key. */
  count(key: string): number {
    const there = this.#listeners.get(key)
    if (there === undefined) return 0
    return there instanceof Set ? there.size : 1
  }

  /** Calls `visit` for each listener on the key; one that is removed meanwhile is not visited any more. */
  forEach(key: string, visit: (listener: Listener) => void): void {
    const there = this.#listeners.get(key)
    if (there === undefined) return
    if (there instanceof Set) for (const listener of there) visit(listener)
    else visit(there)
  }
}
