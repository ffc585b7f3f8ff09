import { connect } from './connect.js'
import type { PageOptions } from './page-options.js'
import { tabs } from './tabs.js'

declare global {
  interface Window {
    /** What the classic script defines. */
    Downpipe: {
      /** The same as the ES module's, with `tabs` built in. */
      readonly connect: typeof connect
      /** True: says on the console what it does and why. So does `downpipe-debug` in the query of the page's address. */
      debug?: boolean | undefined
    }
  }
}

// What the page has set before it loaded the script stays.
const { debug }: { debug?: boolean | undefined } = window.Downpipe || {}

window.Downpipe = {
  connect: (url: string, options: PageOptions = {}) => connect(url, { tabs, ...options }),
  debug,
}
