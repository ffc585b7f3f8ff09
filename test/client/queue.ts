const PATIENCE_MS = 10_000

/** Things that happen in a test, awaited one by one in their order. */
export class Queue<Item> {
  readonly #items: Item[] = []
  readonly #waiting: ((item: Item) => void)[] = []

  /** It happened. */
  push(item: Item): void {
    const resolve = this.#waiting.shift()
    if (resolve) resolve(item)
    else this.#items.push(item)
  }

  /** The next one, when it comes. Fails after 10 s, which is for broken code only, and names what did not come. */
  next(what: string): Promise<Item> {
    const [item] = this.#items.splice(0, 1)
    if (item !== undefined) return Promise.resolve(item)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE_MS)
      this.#waiting.push(item => {
        clearTimeout(timer)
        resolve(item)
      })
    })
  }

  /** What has come and nobody has asked for. */
  get rest(): readonly Item[] {
    return this.#items
  }
}
