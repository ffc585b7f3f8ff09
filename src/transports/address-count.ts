import { addressKey } from '../auth/address-limit.js'

/** Connections of each address, where they are limited. Stops one machine from taking every place. */
export class AddressCount {
  readonly #limit: number
  readonly #counts = new Map<string, number>()

  /** `limit`: connections from one address (IPv6: from one /64); 0: no limit, and nothing is counted. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether there is a limit at all. */
  get isLimited(): boolean {
    return this.#limit !== 0
  }

  /** Takes a place; false when the address has none left. */
  take(ip: string): boolean {
    if (this.#limit === 0) return true
    const key = addressKey(ip)
    const count = this.#counts.get(key) ?? 0
    if (count >= this.#limit) return false
    this.#counts.set(key, count + 1)
    return true
  }

  /** Gives a place back that was taken. */
  release(ip: string): void {
    if (this.#limit === 0) return
    const key = addressKey(ip)
    const count = this.#counts.get(key) ?? 0
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
  }
}
