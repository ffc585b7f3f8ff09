import { attempt, tell } from './attempt.js'
import { backoffMs } from './backoff.js'
import type { Dispatcher } from './dispatcher.js'
import type { Close, Gap, Ready } from './frames.js'
import type { Host } from './host.js'
import type { ConnectOptions } from './options.js'
import type { Receiver } from './receiver.js'
import { createSelection } from './selection.js'
import { fetchToken } from './token.js'

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
  let channels = options.channels || []
  let grants = options.grants || []
  const selection = createSelection(() => channels, dispatcher)
  let token: string | null | undefined = fetches ? '' : source
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
  // Grows with each stop; what was started before it counts no more.
  let generation = 0
  let cancel = () => {}

  const stop = () => {
    generation++
    current = undefined
    state = 0
    cancel()
    cancel = () => {}
  }

  const rest = (next: number) => {
    stop()
    state = next
    host.rest(next === CLOSED)
  }

  const openIn = (delayMs: number) => {
    stop()
    const timer = setTimeout(open, delayMs)
    cancel = () => clearTimeout(timer)
  }

  const open = () => {
    state = 0
    if (!fetches || !needsToken) return receive()
    const mine = generation
    fetchToken(source, answer => {
      if (mine !== generation || !needsToken) return
      const session = typeof answer === 'string' || answer === null ? { token: answer } : answer || {}
      if (session.token === undefined) {
        return receiver.fail(0, { code: 'token', message: `No token: ${answer}` })
      }
      token = session.token
      needsToken = false
      cursor = cursor || session.since
      channels = (options.channels || []).concat(session.channels || [])
      grants = (options.grants || []).concat(session.grants || [])
      // The new token may list other channels.
      selection.reset()
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
    tell(options.onready, ready)
  }

  const takeGap = (gap: Gap) => {
    host.later(() => {
      if (state === CLOSED) return
      tell(options.ongap, gap)
      host.gap(gap)
    }, Math.random() * gap.spreadMs)
  }

  const takeClose = (close: Close) => {
    if (close.reconnect) {
      if (close.reason === 'expired') needsToken = fetches
      openIn(close.retryMs || backoffMs(failures++))
    } else {
      rest(CLOSED)
      tell(options.onclose, close)
    }
  }

  const receiver: Receiver = {
    address(path, own) {
      const query = own ? [own] : []
      const add = (name: string, values: readonly unknown[]) => {
        values.forEach(value => {
          if (value || value === 0) query.push(`${name}=${encodeURIComponent(String(value))}`)
        })
      }
      add('token', [token])
      add('channel', selection.names())
      add('grant', grants)
      add('since', [cursor])
      return `${base}${path}?${query.join('&')}`
    },
    take({ ready, gap, messages, cursor: end, close }) {
      host.sign(ready)
      const mine = generation
      const isRunning = () => mine === generation
      if (ready) {
        cursor = cursor || end
        takeReady(ready)
      }
      if (gap && isRunning()) {
        cursor = gap.cursor
        // The server sees only that we reopened, not what we had before.
        if (times > 1) gap.initial = false
        takeGap(gap)
      }
      messages.forEach(message => {
        if (!isRunning()) return
        // Before the page's code, which may reopen.
        cursor = message.id || cursor
        dispatcher.deliver(message)
      })
      if (isRunning()) cursor = end || cursor
      if (close && isRunning()) takeClose(close)
      return isRunning()
    },
    fail(status, refusal = {}) {
      const { code = 'network', message = 'No answer', channel, retryAfter = 0 } = refusal
      const isTokenRefused = status === 401 && fetches
      const isDropped = !!channel && selection.drop(channel)
      if (isTokenRefused) needsToken = true
      if (!isDropped && !hasRetried && (isTokenRefused || (status === 403 && selection.reset()))) {
        hasRetried = true
        return openIn(0)
      }
      // Only the push server's own word is final, and not if it says when to come back; what a proxy says may pass.
      const final =
        status > 399 && status < 500 && !!refusal.code && !retryAfter && !isTokenRefused && !isDropped
      if (final) rest(CLOSED)
      else {
        openIn(isDropped ? 0 : retryAfter * 1000 + backoffMs(failures++))
        if (!retryAfter) state = WAITS
      }
      tell(options.onerror, { code, message, status, final })
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
