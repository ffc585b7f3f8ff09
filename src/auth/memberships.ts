import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Clock } from '../clock.js'
import type { SiteState, StateRecord } from '../state/site-state.js'

/** How long, in ms, memberships are kept after the user's last connection, or after the call if there is none. */
export const membershipMs = 24 * 3_600_000

/** Users with memberships at the most: a CMS that adds one for every visitor must not fill the memory. */
const maxUsers = 100_000

/** How much sooner than in time, in ms, records are written again while the user is connected: not with every look. */
const renewMs = 3_600_000

const storedForm = Compile(
  Type.Object({ uid: Type.String(), channel: Type.String(), isHidden: Type.Boolean() }),
)

/** What was said of one user and one channel last. `hiddenMs`: taken away then, on the clock's monotonic scale. */
type Change = { readonly kind: 'added' } | { readonly kind: 'hidden'; readonly hiddenMs: number }

interface Member {
  readonly changes: Map<string, Change>
  /**
   * What the identity says counts only if it is from later (monotonic), because more was taken away by then than is remembered. For
   * JWTs, which cannot be asked for anew.
   */
  hiddenMs?: number
  /** Unix time in ms. */
  expiresMs: number
  /** What the stored records say, at the least. */
  storedMs: number
}

/** What the CMS has changed about a user's channels, beside what its answers about tokens say. */
export interface UserMemberships {
  /** Channels that were added. */
  readonly added: readonly string[]
  /** Whether the channel was taken away later than the identity was asked for (monotonic ms). */
  isHidden(channel: string, askedMs: number): boolean
}

const none: UserMemberships = { added: [], isHidden: () => false }

/**
 * Memberships on this node: channels added for a user, and channels taken away, until the identity is asked for anew. Both hold for
 * present and future connections, and are forgotten a day after the user's last connection.
 */
export class Memberships {
  readonly #clock: Clock
  readonly #state: SiteState
  readonly #maxChannels: number
  readonly #isConnected: (uid: string) => boolean
  readonly #members = new Map<string, Member>()

  constructor(options: {
    clock: Clock
    state: SiteState
    /** Changes that are remembered for one user. */
    maxChannels: number
    /** Whether the user has a connection here. */
    isConnected: (uid: string) => boolean
  }) {
    this.#clock = options.clock
    this.#state = options.state
    this.#maxChannels = options.maxChannels
    this.#isConnected = options.isConnected
  }

  /** Takes over what was stored before this process began. */
  async load(): Promise<void> {
    for await (const record of this.#state.list('membership')) {
      if (!storedForm.Check(record.value)) continue
      const { uid, channel, isHidden } = record.value
      this.#change(uid, channel, isHidden ? this.#hidden() : { kind: 'added' }, record.expiresMs)
    }
  }

  /** Keeps a change, so that it outlives the log. */
  async store(uid: string, channel: string, change: 'add' | 'remove'): Promise<void> {
    const expiresMs = this.#clock.now() + membershipMs
    await this.#state.put('membership', stateRecord(uid, channel, change === 'remove', expiresMs))
  }

  /** Whether one more channel can be added for the user. */
  hasPlace(uid: string, channel: string): boolean {
    const changes = this.#members.get(uid)?.changes
    if (changes === undefined) return this.#members.size < maxUsers
    return changes.get(channel)?.kind === 'added' || count(changes, 'added') < this.#maxChannels
  }

  /** Adds the channel for the user. */
  add(uid: string, channel: string): void {
    this.#change(uid, channel, { kind: 'added' }, this.#clock.now() + membershipMs)
  }

  /**
   * Takes the channel away from the user. Returns false when that cannot be remembered, because too much is: then the identity must
   * be asked for anew.
   */
  remove(uid: string, channel: string): boolean {
    const member = this.#members.get(uid)
    member?.changes.delete(channel)
    if (
      member === undefined
        ? this.#members.size >= maxUsers
        : count(member.changes, 'hidden') >= this.#maxChannels
    ) {
      if (member !== undefined) this.#hideAll(member)
      return false
    }
    this.#change(uid, channel, this.#hidden(), this.#clock.now() + membershipMs)
    return true
  }

  /** What was changed about the user's channels. */
  of(uid: string | null): UserMemberships {
    const member = uid === null ? undefined : this.#members.get(uid)
    if (member === undefined) return none
    const { changes } = member
    return {
      added: [...changes].filter(([, { kind }]) => kind === 'added').map(([channel]) => channel),
      isHidden: (channel, askedMs) => {
        const change = changes.get(channel)
        const hiddenMs = change?.kind === 'hidden' ? change.hiddenMs : member.hiddenMs
        return hiddenMs !== undefined && askedMs <= hiddenMs
      },
    }
  }

  /** Forgets those whose time is over, and keeps those who are connected; to be called once a minute. */
  async sweep(): Promise<void> {
    const now = this.#clock.now()
    const due: { readonly uid: string; readonly member: Member }[] = []
    for (const [uid, member] of this.#members) {
      if (this.#isConnected(uid)) member.expiresMs = now + membershipMs
      else if (member.expiresMs <= now) this.#members.delete(uid)
      if (member.expiresMs - member.storedMs > renewMs) due.push({ uid, member })
    }
    for (const { uid, member } of due) {
      // Longer than the member, which is looked at only now and then while the records wait for nobody.
      const expiresMs = member.expiresMs + 2 * renewMs
      member.storedMs = expiresMs
      for (const [channel, { kind }] of member.changes) {
        await this.#state.put('membership', stateRecord(uid, channel, kind === 'hidden', expiresMs))
      }
    }
  }

  /** Forgets what was taken away one by one: everything that was said before is. */
  #hideAll(member: Member): void {
    member.hiddenMs = this.#clock.monotonic()
    member.expiresMs = this.#clock.now() + membershipMs
    for (const [channel, { kind }] of member.changes) if (kind === 'hidden') member.changes.delete(channel)
  }

  #hidden(): Change {
    return { kind: 'hidden', hiddenMs: this.#clock.monotonic() }
  }

  #change(uid: string, channel: string, change: Change, expiresMs: number): void {
    const member = this.#members.get(uid) ?? { changes: new Map(), expiresMs, storedMs: expiresMs }
    member.changes.set(channel, change)
    member.expiresMs = Math.max(member.expiresMs, expiresMs)
    member.storedMs = Math.min(member.storedMs, expiresMs)
    this.#members.set(uid, member)
  }
}

function count(changes: ReadonlyMap<string, Change>, kind: Change['kind']): number {
  let found = 0
  for (const change of changes.values()) if (change.kind === kind) found += 1
  return found
}

function stateRecord(uid: string, channel: string, isHidden: boolean, expiresMs: number): StateRecord {
  return { key: JSON.stringify([uid, channel]), value: { uid, channel, isHidden }, expiresMs }
}
