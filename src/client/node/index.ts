/**
 * Downpipe in Node: the same as in the browser, for programs. With a service key as the token one can read any channel.
 *
 * @packageDocumentation
 */
import { validateHeaderValue } from 'node:http'
import type { Host } from '../host.js'
import type { ConnectOptions } from '../options.js'
import { receivePolls } from '../poll.js'
import { createPush, type Push } from '../push.js'
import type { Receive } from '../receiver.js'
import { request } from './request.js'
import { receiveStream } from './stream.js'

export type { Close, Gap, Message, Presence, PushError, Ready } from '../frames.js'
export type { ConnectOptions, Session, TokenFunction, Transport } from '../options.js'
export type { Listener, Push } from '../push.js'

/**
 * Connects to a push server, from the next turn of the event loop on. An open connection keeps the process alive, also while it
 * waits to come back; after `close` it does not.
 *
 * Other than in the browser: the token travels in the Authorization header, where a service key is accepted; `credentials` means
 * nothing; what a listener throws is an uncaught exception, which ends the process unless it is handled there; a stream on which
 * two heartbeats did not come is opened anew.
 *
 * @param url where the server's `/v1` is: `http://127.0.0.1:8080`, or with a prefix, or with `/sites/<name>` behind it
 * @throws TypeError when the address is not one of HTTP, or the token cannot be sent in a header
 */
export function connect<Channels extends object = Record<string, unknown>>(
  url: string,
  options?: ConnectOptions,
): Push<Channels>
export function connect(url: string, options: ConnectOptions = {}): Push {
  if (!/^https?:$/.test(new URL(url).protocol) || /[?#]/.test(url)) {
    throw new TypeError('the address must begin with http:// or https:// and have no query')
  }
  if (typeof options.token === 'string') validateHeaderValue('authorization', options.token)
  const transport = options.transport === 'poll' ? 'poll' : 'sse'
  const host: Host = {
    source: () => undefined,
    receive: refuseBadTokens(transport === 'poll' ? pollByHttp : receiveStream),
    tellGap() {},
    rest() {},
    follow: () => () => {},
  }
  return createPush(url, options, host, () => transport)
}

const pollByHttp: Receive = (address, take) => receivePolls(address, take, request)

/** Refuses, as the server would, a token that cannot even be sent: one with a line's end, say, that a function has fetched. */
function refuseBadTokens(receive: Receive): Receive {
  return (address, take) => {
    try {
      return receive(address, take)
    } catch (error) {
      const refused = setImmediate(() => {
        take({ code: 'token', message: `The token cannot be sent: ${error}` }, 401)
      })
      return () => clearImmediate(refused)
    }
  }
}
