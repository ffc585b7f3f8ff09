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
  if (!isIPv6(ip)) return ip
  const groups = groupsOf(ip)
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0)
  if (isMapped) {
    return groups
      .slice(6)
      .flatMap(group => [group >> 8, group & 255])
      .join('.')
  }
  return groups
    .slice(0, 4)
    .map(group => group.toString(16))
    .join(':')
}

/** The eight numbers of an IPv6 address: zeros may be left out at one `::`, the last two may be an IPv4 address (RFC 4291, 2.2). */
function groupsOf(ip: string): readonly number[] {
  const [head = '', tail = ''] = (ip.split('%', 1)[0] ?? '').split('::')
  const [front, back] = [numbersOf(head), numbersOf(tail)]
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
}

function numbersOf(part: string): readonly number[] {
  if (part === '') return []
  return part.split(':').flatMap(group => {
    const [a = 0, b, c = 0, d = 0] = group.split('.').map(Number)
    return b === undefined ? [Number.parseInt(group, 16)] : [a * 256 + b, c * 256 + d]
  })
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
