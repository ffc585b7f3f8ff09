import { backoffMs } from './backoff.js'
import { place } from './cursor.js'
import type { Dispatcher } from './dispatcher.js'
import type { Close, Ready } from './frames.js'
import type { Host } from './host.js'
import { has, lacking } from './names.js'
import type { ConnectOptions, Session } from './options.js'
import type { Receiver } from './receiver.js'
import { tell } from './tell.js'
import { fetchToken } from './token.js'

// What a connection does, when it neither asks nor waits for as long as the server has said.
/** Waits to be woken, or because nothing better is known. */
const IDLE = 1
const STANDS = 2
const CLOSED = 3

/** A subscription that is kept up: opened, and reopened from its cursor as long as that makes sense. */
export interface Connection {
  /** Reopens if it stands and the dispatcher has listeners of channels that it has not asked for. */
  extend(): void
  /** Stops until it is woken. */
  pause(): void
  /** Reopens at once what waits, unless the server has said how long. */
  wake(): void
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
  let session: Partial<Session> = {}
  let needsToken = true
  let cursor: string | number | null | undefined = options.since
  let state = 0
  // Missing until the subscription stands for the first time.
  let uid: string | null | undefined
  // The channels that the last request has named.
  let asked: readonly string[] = []
  // What came without being named comes by itself, as long as the CMS wants it to. Named, it would be refused once it is taken
  // away, like what was refused before, and all the rest with it.
  let unnamed: readonly string[] = []
  // It stood before it was reopened.
  let hasStood = false
  let failures = 0
  // Since the last `ready`, a token was refused and fetched again at once. Doing so twice would be a tight loop.
  let hasRetried = false
  // A gap that is to be told. One that comes meanwhile is told in its place.
  let gapTimer: ReturnType<typeof setTimeout> | undefined
  // Another one after each stop; what was started before it counts no more.
  let cancel = () => {}

  const list = (name: 'channels' | 'grants') => (options[name] || []).concat(session[name] || [])

  const startAt = (since: typeof cursor) => {
    // 0 is a place, too: the beginning.
    if (cursor !== 0) cursor = cursor || since
  }

  const stop = (next: number) => {
    cancel()
    cancel = () => {}
    hasStood = hasStood || state === STANDS
    state = next
  }

  const rest = (next: number) => {
    stop(next)
    if (next === CLOSED) clearTimeout(gapTimer)
    host.rest(next === CLOSED)
  }

  const openIn = (delayMs: number, next: number) => {
    stop(next)
    const timer = setTimeout(open, delayMs)
    cancel = () => clearTimeout(timer)
  }

  const open = () => {
    const mine = cancel
    state = 0
    if (!needsToken) return receive()
    fetchToken(source, answer => {
      if (mine !== cancel) return
      const next: Partial<Session> =
        typeof answer === 'string' || answer === null ? { token: answer } : Object(answer)
      if (next.token === undefined) {
        return receiver.fail(0, { code: 'token', message: `No token: ${answer}` })
      }
      session = next
      needsToken = false
      startAt(session.since)
      // A promise would keep to itself what it throws.
      tell(receive)
    })
  }

  const receive = () => {
    cancel = host.receive(receiver, !!options.credentials)
  }

  // Messages may have come for the channels that are missing: then it must be opened anew from the cursor.
  const lacks = () => lacking(asked.concat(unnamed), dispatcher.channels()).length > 0

  const takeReady = (ready: Ready) => {
    // What the page shows was made for somebody else, and so was the cursor.
    if (uid !== undefined && uid !== ready.uid) {
      return takeClose({ reason: 'identity', reconnect: false, retryMs: 0 })
    }
    uid = ready.uid
    unnamed = unnamed.concat(lacking(asked.concat(unnamed), ready.channels))
    if (lacks()) return openIn(0, 0)
    // It may come again while the subscription stands, with other channels or other users online.
    state = STANDS
    hasRetried = false
    failures = 0
    tell(options.onready, ready)
  }

  const takeClose = (close: Close) => {
    if (close.reconnect) {
      needsToken = needsToken || close.reason === 'expired'
      openIn(close.retryMs || backoffMs(failures++), 0)
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
      // As long as no name is given, a request names none and gets all that the visitor's identity lists. One that names a channel
      // gets only those that it names, and `*` stands for all that the identity lists.
      const fixed = list('channels')
      const more = fixed.length || uid !== undefined ? lacking(unnamed, dispatcher.channels()) : []
      asked = lacking([], (fixed.length || !more.length ? fixed : ['*']).concat(more))
      add('token', [session.token])
      add('channel', asked)
      add('grant', list('grants'))
      add('since', [cursor])
      return `${base}${path}?${query.join('&')}`
    },
    take(batch) {
      const mine = cancel
      const isRunning = () => mine === cancel
      const { ready, gap, close } = batch
      // Another tab's connection may be behind.
      const start = gap ? 0 : place(cursor)
      if (ready) {
        startAt(batch.cursor)
        takeReady(ready)
      }
      if (gap && isRunning()) {
        cursor = gap.cursor
        // The server sees only that we reopened, not what we had before.
        if (hasStood) gap.initial = false
        clearTimeout(gapTimer)
        gapTimer = setTimeout(() => {
          tell(options.ongap, gap)
          host.gap(gap)
        }, Math.random() * gap.spreadMs)
      }
      batch.messages.forEach(message => {
        if (!isRunning() || (message.id && place(message.id) <= start)) return
        // Before the page's code, which may reopen.
        cursor = message.id || cursor
        dispatcher.deliver(message)
      })
      if (isRunning() && place(batch.cursor) > start) cursor = batch.cursor
      if (close && isRunning()) takeClose(close)
    },
    fail(status, refusal) {
      const { code, channel, retryAfter } = refusal
      const isTokenRefused = status === 401 && typeof source === 'function'
      // Its listeners stay, for messages to users may bear it as a label. What the page named when it connected is for its author
      // to mend.
      const isDropped = !!channel && !has(list('channels'), channel)
      unnamed = unnamed.concat(channel || [])
      needsToken = needsToken || isTokenRefused
      if (isTokenRefused && !hasRetried) {
        hasRetried = true
        return openIn(0, 0)
      }
      // Only the push server's own word is final, and not if it says when to come back; what a proxy says may pass.
      const final = !!code && status > 399 && status < 500 && !retryAfter && !isTokenRefused && !isDropped
      if (final) rest(CLOSED)
      else if (isDropped) openIn(0, 0)
      else openIn((retryAfter || 0) * 1000 + backoffMs(failures++), retryAfter ? 0 : IDLE)
      tell(options.onerror, {
        code: code || 'network',
        message: refusal.message || 'No answer',
        status,
        final,
      })
    },
  }

  openIn(0, 0)
  return {
    extend() {
      if (state === STANDS && lacks()) openIn(0, 0)
    },
    pause() {
      if (state !== CLOSED) rest(IDLE)
    },
    wake() {
      if (state === IDLE) openIn(0, 0)
    },
    close: () => rest(CLOSED),
  }
}
