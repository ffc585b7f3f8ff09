import { KeyRestricted } from '../errors.js'
import { matchesPattern } from '../message.js'

/** What a service key may be restricted to, and how a refusal words it. */
const phrases = {
  publish: 'publish',
  read: 'read',
  kick: 'kick users',
  logout: 'log tokens out',
  refresh: 'refresh users',
  memberships: 'change memberships',
  list: 'list who is there',
  stats: 'see the figures',
} as const

/** Something that is done with a service key. Every route of the CMS's side names its own. */
export type Operation = keyof typeof phrases

/** Whether there is such an operation. */
export function isOperation(word: string): word is Operation {
  return Object.hasOwn(phrases, word)
}

/** The names of all operations, for people. */
export const operationNames = Object.keys(phrases).join(', ')

/** What a key for channels may do when its operations are not said: those that are about channels, and change nothing else. */
const channelOperations: readonly Operation[] = ['publish', 'read']

/** What the holder of one service key may do. */
export class KeyRights {
  /** Names and prefix patterns of the channels that it is for; undefined: all, and users, and everybody. */
  readonly channels: readonly string[] | undefined
  /** Undefined: everything. */
  readonly #operations: readonly Operation[] | undefined

  constructor(allowed: readonly Operation[] | undefined, channels: readonly string[] | undefined) {
    this.channels = channels
    this.#operations = allowed ?? (channels === undefined ? undefined : channelOperations)
  }

  /** Whether it may do this at all. */
  allows(operation: Operation): boolean {
    return this.#operations?.includes(operation) ?? true
  }

  /** Whether the channel is one that it is for. */
  allowsChannel(name: string): boolean {
    return this.channels?.some(pattern => matchesPattern(pattern, name)) ?? true
  }

  /** @throws KeyRestricted when it may not do this. */
  check(operation: Operation): void {
    if (!this.allows(operation)) throw new KeyRestricted(phrases[operation])
  }

  /** @throws KeyRestricted when it may not do this, or not with the channel. */
  checkChannel(operation: Operation, name: string): void {
    this.check(operation)
    if (!this.allowsChannel(name)) {
      throw new KeyRestricted(`${phrases[operation]}: the channel ${JSON.stringify(name)}`)
    }
  }
}

/** The rights of a key that is not restricted. */
export const allRights = new KeyRights(undefined, undefined)
