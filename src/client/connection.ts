import { attempt, tell } from './attempt.js'
import { backoffMs } from './backoff.js'
import type { Dispatcher } from './dispatcher.js'
import type { Close, Gap, Ready } from './frames.js'
import type { Host } from './host.js'
import type { ConnectOptions } from './options.js'
import type { Subscription } from './receiver.js'
import { createSelection } from './selection.js'
import { fetchToken, isSession } from './token.js'

/** A subscription that is kept up: opened, and reopened from its cursor as long as that makes sense. */
export interface Connection {
  /** Reopens if the dispatcher has listeners of channels that the connection lacks. */
  extend(): void
  /** Stops until `wake`. */
  pause(): void
  /**
   * Reopens at once if it waits to do so, unless the server has said how long to wait.
   *
   * @param isBack whether a pause is over, too
   */
  wake(isBack: boolean): void
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
  const source = host.session || options.token
  const fetches = typeof source === 'function'
  let channels = options.channels || []
  let grants = options.grants || []
  const selection = createSelection(() => channels, dispatcher)
  let token = fetches ? '' : source || ''
  let needsToken = fetches
  let cursor = String(options.since ?? '')
  // Set while the subscription stands.
  let current: Ready | undefined
  let uid: string | null | undefined
  let failures = 0
  // How often the subscription came to stand.
  let times = 0
  // Since the last `ready`, something was changed and tried again at once. Doing so twice would be a tight loop.
  let hasRetried = false
  let isClosed = false
  let isPaused = false
  // It waits, and nobody has asked for that.
  let mayHurry = false
  // Grows with each stop; what was started before it counts no more.
  let generation = 0
  let cancel = () => {}

  const stop = () => {
    generation++
    current = undefined
    mayHurry = false
    cancel()
    cancel = () => {}
  }

  const pause = () => {
    if (isPaused) return
    isPaused = true
    host.note('Pauses')
    stop()
    host.rest(isClosed)
  }

  const close = () => {
    isClosed = true
    isPaused = false
    pause()
  }

  const openIn = (delayMs: number, why: string) => {
    stop()
    host.note(`${why}: asks in ${delayMs} ms`)
    const timer = setTimeout(open, delayMs)
    cancel = () => clearTimeout(timer)
  }

  const open = () => {
    mayHurry = false
    if (!fetches || !needsToken) return receive()
    const mine = generation
    fetchToken(source, answer => {
      if (mine !== generation || !needsToken) return
      const value = isSession(answer) ? answer.token : answer
      if (value !== null && typeof value !== 'string') {
        return receiver.fail(0, { code: 'token', message: `No token: ${value}` })
      }
      token = value || ''
      needsToken = false
      if (isSession(answer)) {
        cursor = cursor || String(answer.since ?? '')
        channels = (options.channels || []).concat(answer.channels || [])
        grants = (options.grants || []).concat(answer.grants || [])
      }
      // The new token may list other channels.
      selection.reset()
      attempt(receive)
    })
  }

  const receive = () => {
    cancel = host.receive(receiver, !!options.credentials)
  }

  // Messages may have come for the channels that are missing, so this goes back to the cursor.
  const extend = (ready: Ready) => {
    const isMore = selection.compare(ready.channels)
    if (isMore) {
      hasRetried = true
      openIn(0, 'More channels')
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
    host.note(`Listens as ${uid} on ${ready.channels}, from ${cursor}`)
    tell(options.onready, ready)
  }

  const takeGap = (gap: Gap) => {
    host.note(`Gap: ${gap.reason}`)
    host.later(() => {
      if (isClosed) return
      tell(options.ongap, gap)
      host.gap(gap)
    }, Math.random() * gap.spreadMs)
  }

  const takeClose = (reason: Close) => {
    if (reason.reconnect) {
      if (reason.reason === 'expired') needsToken = fetches
      openIn(reason.retryMs || backoffMs(failures++), `Closed: ${reason.reason}`)
    } else {
      host.note(`Ends: ${reason.reason}`)
      close()
      tell(options.onclose, reason)
    }
  }

  const receiver: Subscription = {
    wants: () => ({ channels: selection.names(), grants }),
    cursor: () => cursor,
    address(path, own, wants = receiver.wants()) {
      const query = own ? [own] : []
      const add = (name: string, values: readonly string[]) => {
        values.forEach(value => {
          if (value) query.push(`${name}=${encodeURIComponent(value)}`)
        })
      }
      add('token', [token])
      add('channel', wants.channels)
      add('grant', wants.grants)
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
      const { channel, retryAfter } = refusal
      const code = refusal.code || 'network'
      const isTokenRefused = status === 401 && fetches
      const isDropped = !!channel && selection.drop(channel)
      const why = `${code} ${status}`
      if (isTokenRefused) needsToken = true
      if (!isDropped && !hasRetried && (isTokenRefused || (status === 403 && selection.reset()))) {
        hasRetried = true
        return openIn(0, why)
      }
      // Only the push server's own word is final, and not if it says when to come back; what a proxy says may pass.
      const final =
        status > 399 && status < 500 && !!refusal.code && !retryAfter && !isTokenRefused && !isDropped
      if (final) {
        host.note(`Ends: ${why}`)
        close()
      } else if (isDropped) openIn(0, `No ${channel}`)
      else {
        openIn((retryAfter || 0) * 1000 + backoffMs(failures++), why)
        mayHurry = !retryAfter
      }
      tell(options.onerror, { code, message: refusal.message || 'No answer', status, final })
    },
  }

  openIn(0, 'Starts')
  return {
    extend() {
      if (current) extend(current)
    },
    pause,
    wake(isBack) {
      if (isClosed || !(isPaused ? isBack : mayHurry)) return
      isPaused = false
      openIn(0, 'The page is back')
    },
    close,
  }
}
