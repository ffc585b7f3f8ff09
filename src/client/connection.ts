import { attempt, tell } from './attempt.js'
import { backoffMs } from './backoff.js'
import type { Dispatcher } from './dispatcher.js'
import type { Close, Ready } from './frames.js'
import type { Host } from './host.js'
import type { ConnectOptions } from './options.js'
import type { Receiver } from './receiver.js'
import { createSelection } from './selection.js'
import { fetchToken, type TokenAnswer } from './token.js'

// What a connection does, beside waiting as long as the server has said, or asking for a token: one bit each.
/** It waits to be woken. */
export const PAUSED = 1
/** It waits, because nothing better is known. */
export const WAITS = 2
/** It receives, or tries to. */
export const RECEIVES = 4
const CLOSED = 8

/** A subscription that is kept up: opened, and reopened from its cursor as long as that makes sense. */
export interface Connection {
  /** Reopens if the dispatcher has listeners of channels that the connection lacks. */
  extend(): void
  /** Stops until it is woken. */
  pause(): void
  /** Reopens at once if it is in one of these states. */
  wake(states: number): void
  /** Ends it for good. */
  close(): void
}

/** Creates a connection that opens in the next turn and gives what comes to the dispatcher and the options' handlers. */
export function createConnection(
  url: string,
  options: ConnectOptions,
  host: Host,
  dispatcher: Dispatcher,
): Connection {
  const base = `${url.replace(/\/$/, '')}/v1/`
  const source = host.source || options.token
  const fetches = typeof source === 'function'
  let session: TokenAnswer & object = fetches ? {} : { token: source || null }
  let needsToken = fetches
  let cursor: string | number | null | undefined = options.since
  let state = 0
  // Set while the subscription stands.
  let current: Ready | undefined
  let uid: string | null | undefined
  let failures = 0
  // How often the subscription came to stand.
  let times = 0
  // Since the last `ready`, something was changed and tried again at once. Doing so twice would be a tight loop.
  let hasRetried = false
  // Another one after each stop; what was started before it counts no more.
  let cancel = () => {}

  const list = (name: 'channels' | 'grants') => (options[name] || []).concat(session[name] || [])
  const selection = createSelection(() => list('channels'), dispatcher)

  const stop = (next: number) => {
    const cancelled = cancel
    current = undefined
    state = next
    cancel = () => {}
    cancelled()
  }

  const rest = (next: number) => {
    stop(next)
    host.rest(next === CLOSED)
  }

  const openIn = (delayMs: number, next = 0) => {
    stop(next)
    host.note('Asks in ms: ', delayMs)
    const timer = setTimeout(open, delayMs)
    cancel = () => clearTimeout(timer)
  }

  const open = () => {
    const mine = cancel
    state = 0
    if (!fetches || !needsToken) return receive()
    fetchToken(source, answer => {
      if (mine !== cancel) return
      const next = typeof answer === 'string' || answer === null ? { token: answer } : answer || {}
      if (next.token === undefined) {
        return receiver.fail(0, { code: 'token', message: `No token: ${answer}` })
      }
      session = next
      needsToken = false
      cursor = cursor || session.since
      attempt(receive)
    })
  }

  const receive = () => {
    state = RECEIVES
    cancel = host.receive(receiver, !!options.credentials)
  }

  // Messages may have come for the channels that are missing, so this goes back to the cursor.
  const extend = (ready: Ready) => {
    const isMore = selection.compare(ready.channels)
    if (isMore) {
      hasRetried = true
      openIn(0)
    }
    return isMore
  }

  const takeReady = (ready: Ready) => {
    // What the page shows was made for somebody else, and so was the cursor.
    if (uid !== undefined && uid !== ready.uid) {
      return takeClose({ reason: 'identity', reconnect: false, retryMs: 0 })
    }
    uid = ready.uid
    if (extend(ready)) return
    // It may come again while the subscription stands, with other channels or other users online.
    if (!current) times++
    current = ready
    hasRetried = false
    failures = 0
    host.note('Listens to: ', ready.channels)
    tell(options.onready, ready)
  }

  const takeClose = (close: Close) => {
    host.note('Closed: ', close.reason)
    if (close.reconnect) {
      needsToken = needsToken || (fetches && close.reason === 'expired')
      openIn(close.retryMs || backoffMs(failures++))
    } else {
      rest(CLOSED)
      tell(options.onclose, close)
    }
  }

  const receiver: Receiver = {
    address(path, own) {
      const query = own ? [own] : []
      const add = (name: string, values: readonly (string | number | null | undefined)[]) => {
        values.forEach(value => {
          if (value || value === 0) query.push(`${name}=${encodeURIComponent(value)}`)
        })
      }
      add('token', [session.token])
      add('channel', selection.names())
      add('grant', list('grants'))
      add('since', [cursor])
      return `${base}${path}?${query.join('&')}`
    },
    take(batch) {
      const mine = cancel
      const isRunning = () => mine === cancel
      const { ready, gap, close } = batch
      host.sign(ready)
      if (ready) {
        cursor = cursor || batch.cursor
        takeReady(ready)
      }
      if (gap && isRunning()) {
        cursor = gap.cursor
        // The server sees only that we reopened, not what we had before.
        if (times > 1) gap.initial = false
        host.later(() => {
          if (state === CLOSED) return
          tell(options.ongap, gap)
          host.gap(gap)
        }, Math.random() * gap.spreadMs)
      }
      batch.messages.forEach(message => {
        if (!isRunning()) return
        // Before the page's code, which may reopen.
        cursor = message.id || cursor
        dispatcher.deliver(message)
      })
      if (isRunning()) cursor = batch.cursor || cursor
      if (close && isRunning()) takeClose(close)
      return isRunning()
    },
    fail(status, refusal = {}) {
      host.note('No connection, status: ', status)
      const { code, channel, retryAfter } = refusal
      const isTokenRefused = status === 401 && fetches
      const isDropped = channel && selection.drop(channel)
      needsToken = needsToken || isTokenRefused
      if (!hasRetried && isTokenRefused) {
        hasRetried = true
        return openIn(0)
      }
      // Only the push server's own word is final, and not if it says when to come back; what a proxy says may pass.
      const final = !!code && status > 399 && status < 500 && !retryAfter && !isTokenRefused && !isDropped
      if (final) rest(CLOSED)
      else {
        const waitMs = (retryAfter || 0) * 1000
        openIn(isDropped ? 0 : waitMs + backoffMs(failures++), waitMs ? 0 : WAITS)
      }
      tell(options.onerror, {
        code: code || 'network',
        message: refusal.message || 'No answer',
        status,
        final,
      })
    },
  }

  openIn(0)
  return {
    extend() {
      if (current) extend(current)
    },
    pause() {
      if (state !== CLOSED) rest(PAUSED)
    },
    wake(states) {
      if (state & states) openIn(0)
    },
    close: () => rest(CLOSED),
  }
}
