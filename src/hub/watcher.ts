import type { CloseReason } from './close-reason.js'
import type { Subscriber } from './subscriber.js'

/** Why a connection is over: why it was closed, `left` where the client went, `answered` where a poll was. */
export type EndReason = CloseReason | 'left' | 'answered'

/** Somebody who wants to know who comes and goes. Neither may throw, nor call the hub. */
export interface HubWatcher {
  opened(subscriber: Subscriber): void
  ended(subscriber: Subscriber, reason: EndReason): void
}
