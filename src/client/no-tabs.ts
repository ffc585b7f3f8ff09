import type { ShareTabs } from './tabs.js'

/** Stands in place of `tabs` where each tab has a connection of its own. */
export const tabs: ShareTabs = (_url, _options, receive) => ({ receive, rest() {} })
