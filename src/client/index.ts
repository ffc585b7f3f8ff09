/**
 * Downpipe in the browser: messages that a CMS published, over Server-Sent Events or long-polling.
 *
 * @packageDocumentation
 */
export type { Close, Gap, Message, PushError, Ready } from './frames.js'
export type { ConnectOptions, TokenFunction, Transport } from './options.js'
export { connect, type Listener, type Push } from './push.js'
