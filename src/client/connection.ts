import { attempt, tell } from './attempt.js'
import { backoffMs } from './backoff.js'
import type { Dispatcher } from './dispatcher.js'
import type { Close, Gap, Ready } from './frames.js'
import type { ConnectOptions } from './options.js'
import type { Receive, Receiver } from './receiver.js'
import { createSelection } from './selection.js'
import { fetchToken } from './token.js'

/** A subscription that is kept up: opened, and reopened from its cursor as long as that makes sense. */
export interface Connection {
  /** Reopens if the dispatcher has listeners of channels that the connection lacks. */
  extend(): void
  /** Ends it for good. */
  close(): void
}

/** Runs a task after a time in ms. Nothing is amiss if it never does. */
export type Later = (task: () => void, ms: number) => void

/** Creates a connection that opens in the next turn and gives what comes to the dispatcher and the options' handlers. */
export function createConnection(
  url: string,
  options: ConnectOptions,
  receiveBy: Receive,
  later: Later,
  dispatcher: Dispatcher,
): Connection {
  const base = `${url.replace(/\/$/, '')}/v1/`
  const source = options.token
  const fetches = typeof source === 'function'
  const selection = createSelection(options.channels || [], dispatcher)
  let token = fetches ? '' : source || ''
  let needsToken = fetches
  let cursor = String(options.since ?? '')
  // Set while the subscription stands.
  let current: Ready | undefined
  let failures = 0
  // How often the subscription came to stand.
  let times = 0
  // Since the last `ready`, something was changed and tried again at once. Doing so twice would be a tight loop.
  let hasRetried = false
  let isClosed = false
  // Grows with each stop; what was started before it counts no more.
  let generation = 0
  let cancel = () => {}

  const stop = () => {
    generation++
    current = undefined
    cancel()
    cancel = () => {}
  }

  const openIn = (delayMs: number) => {
    stop()
    const timer = setTimeout(open, delayMs)
    cancel = () => clearTimeout(timer)
  }

  const open = () => {
    if (!fetches || !needsToken) return receive()
    const mine = generation
    fetchToken(source, answer => {
      if (mine !== generation || !needsToken) return
      if (answer !== null && typeof answer !== 'string') {
        return receiver.fail(0, { code: 'token', message: `No token: ${answer}` })
      }
      token = answer || ''
      needsToken = false
      // Another token may be another identity.
      selection.reset()
      attempt(receive)
    })
  }

  const receive = () => {
    cancel = receiveBy(receiver, !!options.credentials)
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
    if (extend(ready)) return
    // It may come again while the subscription stands, with other channels or other users online.
    if (!current) times++
    current = ready
    hasRetried = false
    failures = 0
    tell(options.onready, ready)
  }

  const takeGap = (gap: Gap) => {
    later(() => {
      if (!isClosed) tell(options.ongap, gap)
    }, Math.random() * gap.spreadMs)
  }

  const takeClose = (close: Close) => {
    if (close.reconnect) {
      if (close.reason === 'expired') needsToken = fetches
      openIn(close.retryMs || backoffMs(failures++))
    } else {
      stop()
      tell(options.onclose, close)
    }
  }

  const receiver: Receiver = {
    address(path, own) {
      const query = own ? [own] : []
      const add = (name: string, values: readonly string[]) => {
        values.forEach(value => {
          if (value) query.push(`${name}=${encodeURIComponent(value)}`)
        })
      }
      add('token', [token])
      add('channel', selection.names())
      add('grant', options.grants || [])
      add('since', [cursor])
      return `${base}${path}?${query.join('&')}`
    },
    take({ ready, gap, messages, cursor: end, close }) {
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
      const { code, channel, retryAfter } = refusal
      const isTokenRefused = status === 401 && fetches
      const isDropped = !!channel && selection.drop(channel)
      if (isTokenRefused) needsToken = true
      if (!isDropped && !hasRetried && (isTokenRefused || (status === 403 && selection.reset()))) {
        hasRetried = true
        return openIn(0)
      }
      // Only the push server's own word is final, and not if it says when to come back; what a proxy says may pass.
      const final = status > 399 && status < 500 && !!code && !retryAfter && !isTokenRefused && !isDropped
      if (final) stop()
      else if (isDropped) openIn(0)
      else openIn((retryAfter || 0) * 1000 + backoffMs(failures++))
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
    close() {
      isClosed = true
      stop()
    },
  }
}
