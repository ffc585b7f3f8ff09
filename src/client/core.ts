/**
 * The core of Downpipe in the browser, for pages that count bytes: each tab has a connection of its own, and nothing is done about
 * hidden, frozen or kept pages, sessions and debugging. For all of that there is `downpipe/client`.
 *
 * @packageDocumentation
 */
import { connect as connectPage } from './connect.js'
import type { ConnectOptions } from './options.js'
import type { Push } from './push.js'

export type { Close, Gap, Message, Presence, PushError, Ready } from './frames.js'
export type { ConnectOptions, Session, TokenFunction, Transport } from './options.js'
export type { Listener, Push } from './push.js'

/** Connects a page to a push server, as `connect` of `downpipe/client` does. */
export const connect: <Channels extends object = Record<string, unknown>>(
  url: string,
  options?: ConnectOptions,
) => Push<Channels> = connectPage
