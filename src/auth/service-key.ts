import { hash, timingSafeEqual } from 'node:crypto'
import { ServiceKeyRequired } from '../errors.js'
import { allRights, KeyRights, type Operation } from './key-rights.js'

/** A key that may not do everything. */
export interface RestrictedKey {
  readonly key: string
  /** What it may do; without them: everything, or `publish` and `read` when `channels` are given. */
  readonly operations?: readonly Operation[]
  /** The channels that it is for, as names and prefix patterns; without them: all. */
  readonly channels?: readonly string[]
}

/** A service key as it is configured; a plain one may do everything. */
export type ServiceKey = string | RestrictedKey

/** The first key that may do everything: the one that is shown to the CMS when it is asked. */
export function unrestrictedKey(keys: readonly ServiceKey[]): string | undefined {
  return keys.find(key => typeof key === 'string')
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** The keys that a CMS may show; several are valid at once, so that one can be replaced without a pause. */
export class ServiceKeys {
  readonly #known: readonly { readonly digest: Buffer; readonly rights: KeyRights }[]

  constructor(keys: readonly ServiceKey[]) {
    this.#known = keys.map(key =>
      typeof key === 'string'
        ? { digest: digest(key), rights: allRights }
        : { digest: digest(key.key), rights: new KeyRights(key.operations, key.channels) },
    )
  }

  /**
   * What the key may do; undefined when it is none of them. Takes the same time for each answer: all keys are compared, as
   * digests of one length.
   */
  find(key: string): KeyRights | undefined {
    const shown = digest(key)
    let found: KeyRights | undefined
    for (const known of this.#known) if (timingSafeEqual(shown, known.digest)) found = known.rights
    return found
  }

  /** What the key may do, and this is part of it. @throws ServiceKeyRequired, KeyRestricted */
  permit(key: string | undefined, operation: Operation): KeyRights {
    const rights = key === undefined ? undefined : this.find(key)
    if (rights === undefined) throw new ServiceKeyRequired()
    rights.check(operation)
    return rights
  }
}

/** The credential of an `Authorization: Bearer …` header; undefined when the header is missing or of another scheme. */
export function bearer(header: string | undefined): string | undefined {
  const [scheme, ...rest] = (header ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' ? rest.join(' ').trim() : undefined
}
