import type { Close, Gap, Message, Presence, PushError, Ready } from './frames.js'

/** How messages come: over Server-Sent Events, or by long-polling. */
export type Transport = 'sse' | 'poll'

/** A token, and with it whatever else the CMS knows about what the page should ask for. */
export interface Session {
  /** The token; null for an anonymous visitor. */
  readonly token: string | null
  /** Where to start, if nothing has come yet; see `ConnectOptions.since`. */
  readonly since?: string | number | null
  /** Channels beside those of the options. */
  readonly channels?: readonly string[] | null
  /** Grants beside those of the options. */
  readonly grants?: readonly string[] | null
}

/**
 * Fetches a token: returns it, or a promise of it, or hands it to the callback. `null` stands for no token (an anonymous
 * visitor). A function that throws, rejects or gives anything else is asked again later.
 */
export type TokenFunction =
  | (() => string | null | Session | PromiseLike<string | null | Session>)
  | ((callback: (token: string | null | Session) => void) => void)

/** How to connect. All of it may be left out. */
export interface ConnectOptions {
  /**
   * Who the visitor is: a token that the CMS made, or a function that fetches one. The function is called at the start,
   * when the server says `expired`, and after a 401. Default: none (anonymous, or the server's cookie). In Node it may
   * be a service key.
   *
   * A refused string is final. A refused token from a function is fetched once more at once, then with growing delays; with
   * delays from the start, if attempts have failed before.
   */
  readonly token?: string | TokenFunction | undefined
  /**
   * Narrows the connection to these channels and the ones named by `Push.on`. Default (and an empty list): every channel
   * that the CMS or a grant lists for the visitor. Naming what `on` will ask for anyway saves a second request when the
   * visitor's channels do not include it, as on public pages.
   */
  readonly channels?: readonly string[] | undefined
  /** Signed permissions for the channels of this page view; 8 at most. Refused ones are in `Ready.refused`. Default: none. */
  readonly grants?: readonly string[] | undefined
  /**
   * Where to start: a cursor or a Unix time in ms that the CMS took before it read what the page shows; 0 for everything
   * that is retained. Default: now.
   */
  readonly since?: string | number | undefined
  /**
   * `poll`: only long-polling. Default: `sse` where the browser has EventSource and a stream works, else `poll`; so does `sse`.
   * In Node: `sse`.
   */
  readonly transport?: Transport | undefined
  /**
   * Whether cookies are sent to a server of another origin, which must name this origin for it. Default: false. In Node
   * there are none.
   */
  readonly credentials?: boolean | undefined
  /** Called when the subscription stands, after each reconnect, and when there is news about the visitor in between. */
  readonly onready?: ((ready: Ready) => void) | undefined
  /** Called for every message that is not dropped for `except`, before the callbacks of its channel. */
  readonly onmessage?: ((data: unknown, message: Message) => void) | undefined
  /**
   * Called when a user comes online or goes offline, of those whom this one may see; `Ready.presence` says who was online
   * before. Such a message also comes to `onmessage`, with the type `presence` and no id.
   */
  readonly onpresence?: ((presence: Presence) => void) | undefined
  /** Called when messages may be missing, after a random part of the time over which the server spreads its pages. */
  readonly ongap?: ((gap: Gap) => void) | undefined
  /** Called when the server has closed the connection for good; never for a close that leads to a reconnect. */
  readonly onclose?: ((close: Close) => void) | undefined
  /**
   * Called when a connection could not be made: once with `final: true` for a refusal that ends it, otherwise at each
   * failed attempt. An open stream that breaks is not an error.
   */
  readonly onerror?: ((error: PushError) => void) | undefined
}
