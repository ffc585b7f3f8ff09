import { hash, timingSafeEqual } from 'node:crypto'

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** The keys that a CMS may show; several are valid at once, so that one can be replaced without a pause. */
export class ServiceKeys {
  readonly #digests: readonly Buffer[]

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest)
  }

  /** Whether it is one of the keys. Takes the same time for each answer: all keys are compared, as digests of one length. */
  has(key: string): boolean {
    const shown = digest(key)
    let isKnown = false
    for (const known of this.#digests) if (timingSafeEqual(shown, known)) isKnown = true
    return isKnown
  }
}

/** The credential of an `Authorization: Bearer …` header; undefined when the header is missing or of another scheme. */
export function bearer(header: string | undefined): string | undefined {
  const [scheme, ...rest] = (header ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' ? rest.join(' ').trim() : undefined
}
