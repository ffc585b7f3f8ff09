import type { Articles } from './articles.js'
import type { PushService } from './push-service.js'
import type { Sessions } from './sessions.js'

/** What the routes of the demo CMS work with. */
export interface Desk {
  readonly articles: Articles
  readonly sessions: Sessions
  readonly push: PushService
  /** What the push service shows when it asks about a token. */
  readonly serviceKey: string
}
