/** How much counters grow in a second, measured over the last full second. */
export class Rates<Name extends string> {
  readonly #read: () => Readonly<Record<Name, number>>
  #before: Readonly<Record<Name, number>>
  #rates: Partial<Record<Name, number>> = {}

  constructor(read: () => Readonly<Record<Name, number>>) {
    this.#read = read
    this.#before = read()
  }

  /** To be called once a second. */
  sample(): void {
    const now = this.#read()
    const rates: Partial<Record<Name, number>> = {}
    for (const name in now) rates[name] = now[name] - this.#before[name]
    this.#before = now
    this.#rates = rates
  }

  /** The growth of each counter in the last second; empty in the first one. */
  get perSecond(): Readonly<Partial<Record<Name, number>>> {
    return this.#rates
  }
}
