import type { connect } from './connect.js'
import type { html } from './html.js'
import type { Push } from './push.js'

/** What the classic scripts define, in whatever order they come. */
export interface Api {
  /** Connects a page; of `downpipe.js`. */
  connect: typeof connect
  /** The connection that the page has declared by a tag. Missing until the declaration is found. */
  push?: Push
  /** Lets elements take HTML; of `downpipe-html.js`. */
  html?: typeof html
  /** Says on the console, in sentences, what is done and why. Default: false. */
  debug?: boolean | undefined
}

declare global {
  interface Window {
    /** There once one of the scripts has run; whole once all of them have. */
    get Downpipe(): Api
    set Downpipe(api: Partial<Api>)
  }
}
