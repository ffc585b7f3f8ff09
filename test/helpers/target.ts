/** Whom a published message is for, as a publish call words it. */
export type Target =
  | { readonly channel: string }
  | { readonly channels: readonly string[] }
  | { readonly uid: string }
  | { readonly uids: readonly string[] }
  | { readonly broadcast: true }

/** Whether the user with these channels gets it. The naive way, to hold the hub against. */
export function matchesTarget(target: Target, uid: string, channels: readonly string[]): boolean {
  if ('channel' in target) return channels.includes(target.channel)
  if ('channels' in target) return target.channels.some(channel => channels.includes(channel))
  if ('uid' in target) return target.uid === uid
  if ('uids' in target) return target.uids.includes(uid)
  return true
}
