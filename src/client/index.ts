/**
 * Downpipe in the browser: messages that a CMS published, over Server-Sent Events or long-polling.
 *
 * @packageDocumentation
 */
export { connect } from './connect.js'
export type { Close, Gap, Message, Presence, PushError, Ready } from './frames.js'
export type { ConnectOptions, Session, TokenFunction, Transport } from './options.js'
export type { PageOptions } from './page-options.js'
export type { Listener, Push } from './push.js'
