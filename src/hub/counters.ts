import type { CloseReason } from './close-reason.js'
import type { DeliveryCounters } from './outboxes.js'

/** What the hub counted since it began. */
export class HubCounters implements DeliveryCounters {
  messages = 0
  /** Streams and polls that began. */
  connects = 0
  deliveries = 0
  overflows = 0
  gaps = 0
  readonly closed: Partial<Record<CloseReason, number>> = {}
}
