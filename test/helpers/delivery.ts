import { matchesTarget, type Target } from './target.js'

/** A message that was published; for whom, and whether it may have expired before its reader came back. */
export interface Published {
  readonly target: Target
  readonly mayExpire: boolean
  /**
   * Where memberships decide: by uid, whether the user could read it ever since it was published, at some time since, or never.
   */
  readonly standing?: ReadonlyMap<string, 'always' | 'sometimes' | 'never'>
}

/** What one reader was entitled to, and what it got, by the `n` of the ids. */
export interface Received {
  readonly uid: string
  readonly channels: readonly string[]
  /** The first place that it was told; undefined: it never was connected. */
  readonly start: number | undefined
  /** The messages in the order in which they came. */
  readonly ids: readonly number[]
  /** The gaps: from the place it had to the place from which it went on. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
}

/** What is wrong with what a reader got, whatever happened to it: everything, once and in order, or a gap that covers it. */
export function deliveryFault(
  reader: Received,
  published: ReadonlyMap<number, Published>,
): string | undefined {
  const isFor = ({ target, standing }: Published) =>
    standing === undefined
      ? matchesTarget(target, reader.uid, reader.channels)
      : standing.get(reader.uid) !== 'never'
  for (const [index, id] of reader.ids.entries()) {
    const before = reader.ids[index - 1] ?? 0
    if (id <= before) return `${id} came after ${before}`
    const message = published.get(id)
    if (message === undefined || !isFor(message)) return `${id} is not for it`
  }
  const has = new Set(reader.ids)
  for (const [id, message] of published) {
    if (reader.start === undefined || id <= reader.start || !isFor(message)) continue
    if (has.has(id) || message.mayExpire || message.standing?.get(reader.uid) === 'sometimes') continue
    if (!reader.gaps.some(({ from, to }) => id > from && id <= to))
      return `${id} is missing, and no gap covers it`
  }
  return undefined
}

/** Who became or ceased to be a member, and at which place. */
export interface Change {
  readonly n: number
  readonly uid: string
  readonly isMember: boolean
}

/** Whether the user was a member ever since the place `n`, at some time since, or never. */
export function standingOf(uid: string, n: number, changes: readonly Change[]) {
  const own = changes.filter(change => change.uid === uid)
  const was = own.findLast(change => change.n < n)?.isMember ?? false
  const since = own.filter(change => change.n > n)
  if (!was && !since.some(({ isMember }) => isMember)) return 'never'
  return was && since.every(({ isMember }) => isMember) ? 'always' : 'sometimes'
}
