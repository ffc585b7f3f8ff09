import type { ConnectOptions } from './options.js'

/** How to connect a page. All of it may be left out. */
export interface PageOptions extends ConnectOptions {
  /**
   * The address of a route of the CMS that says who the visitor is, in place of `token`: it answers JSON, a `Session`. It is asked
   * with the cookies of its origin, at the start, when the server says `expired`, and after a 401; so it must not be cached
   * (`Cache-Control: no-store`), and the page may be. Default: none.
   */
  readonly session?: string | undefined
  /**
   * The key by which tabs find each other that may share one connection. Whoever has the same key must be the same visitor: give
   * a hash of the session's id, say. Default: the token, if it is a string; none with cookies, a token function or `session`, and
   * none without a token on our own origin, where cookies may tell who comes. `false`: this tab has a connection of its own.
   */
  readonly share?: string | false | undefined
  /** Minutes after which a hidden page disconnects until it is shown again, to spare phones. Default: 0, it does not. */
  readonly pauseHidden?: number | undefined
}
