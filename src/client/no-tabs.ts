import type { PageOptions } from './page-options.js'
import type { Shared } from './tabs.js'
import type { Transports } from './transport.js'

/** Stands in place of `tabs` where each tab has a connection of its own. */
export function tabs(_url: string, _options: PageOptions, { receive }: Transports): Shared {
  return { receive, rest() {} }
}
