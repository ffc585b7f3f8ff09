import { isIPv6 } from 'node:net'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'

/** Addresses remembered at the most; an attacker with more of them is one whom no per-address limit stops. */
const maxAddresses = 50_000

interface Bucket {
  tokens: number
  atMs: number
}

/** What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has. */
export function addressKey(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(ip)) return ip
  const [head = '', tail = ''] = (ip.split('%')[0] ?? '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === '' ? [] : tail.split(':')
  const missing = ip.includes('::') ? Math.max(0, 8 - front.length - back.length) : 0
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  return groups
    .slice(0, 4)
    .map(group => Number.parseInt(group || '0', 16).toString(16))
    .join(':')
}

/** A token bucket for each address. */
export class AddressLimit {
  readonly #clock: Clock
  readonly #rate: number
  readonly #burst: number
  readonly #buckets = new LRUCache<string, Bucket>({ max: maxAddresses })

  /** `rate`: a second, 0 turns it off; `burst`: how many at once. */
  constructor(options: { clock: Clock; rate: number; burst: number }) {
    this.#clock = options.clock
    this.#rate = options.rate
    this.#burst = options.burst
  }

  /** Takes one; false when the address has none left. */
  take(ip: string): boolean {
    if (this.#rate === 0) return true
    const key = addressKey(ip)
    const atMs = this.#clock.monotonic()
    const bucket = this.#buckets.get(key)
    const earned =
      bucket === undefined ? this.#burst : ((atMs - bucket.atMs) / 1_000) * this.#rate + bucket.tokens
    const tokens = Math.min(this.#burst, earned)
    if (tokens < 1) return false
    this.#buckets.set(key, { tokens: tokens - 1, atMs })
    return true
  }
}
