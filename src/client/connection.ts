import { backoffMs } from './backoff.js'
import { place } from './cursor.js'
import type { Close, Message } from './frames.js'
import type { Host } from './host.js'
import { lacking, lacks, none } from './names.js'
import type { ConnectOptions, Session } from './options.js'
import type { Address, Refusal, Take } from './receiver.js'
import { tell } from './tell.js'
import { fetchToken } from './token.js'

// What a connection does, when it neither asks nor waits for as long as the server has said.
/** Waits to be woken, or because nothing better is known. */
const IDLE = 1
const STANDS = 2

/** A subscription that is kept up: opened, and reopened from its cursor as long as that makes sense. */
export interface Connection {
  /** Reopens if it stands and there are listeners of channels that it has not asked for. */
  extend(): void
  /** Ends it for good. */
  close(): void
}

/**
 * Creates a connection that opens in the next turn and gives what comes to the options' handlers.
 *
 * @param channels the channels that have listeners; a name may come twice
 * @param deliver takes each message once
 */
export function createConnection(
  url: string,
  options: ConnectOptions,
  host: Host,
  channels: () => readonly string[],
  deliver: (message: Message) => void,
): Connection {
  const base = url.replace(/\/?$/, '/v1/')
  const source = host.source(options) || options.token
  // Without a token: one is to be fetched.
  let session: Partial<Session> = {}
  // 0 is a place, too: the beginning.
  let cursor = `${[options.since]}`
  let state: number | undefined
  // 0 until the subscription stands for the first time.
  let uid: string | null | 0 = 0
  // The channels that the last request has named.
  let asked: readonly string[] = []
  // What came without being named comes by itself, as long as the CMS wants it to. Named, it would be refused once it is taken
  // away, like what was refused before, and all the rest with it.
  let unnamed: readonly string[] = []
  // It stood before it was reopened.
  let hasStood: boolean | undefined
  // Since the last `ready`: the waiting time doubles with each.
  let failures = 0
  // A gap that is to be told. One that comes meanwhile is told in its place.
  let gapTimer: ReturnType<typeof setTimeout> | undefined
  // Stops what receives, if anything does. It may be called again.
  let stop = () => {}
  // Another one whenever it is stopped or opened; what was started before counts no more.
  let timer: ReturnType<typeof setTimeout> | undefined

  const list = (name: 'channels' | 'grants') => (options[name] || []).concat(session[name] || [])

  const openIn = (delayMs?: number, next?: number) => {
    stop()
    clearTimeout(timer)
    timer = setTimeout(open, delayMs)
    hasStood = hasStood || state === STANDS
    state = next
  }

  const rest = () => {
    openIn(0, IDLE)
    clearTimeout(timer)
    host.rest()
  }

  const open = () => {
    const mine = timer
    state = 0
    if (session.token !== undefined) stop = host.receive(address, take)
    else {
      fetchToken(source, answer => {
        if (mine !== timer) return
        const next: Partial<Session> =
          typeof answer === 'string' || answer === null ? { token: answer } : Object(answer)
        if (next.token === undefined) return fail({ code: 'token', message: `No token: ${answer}` }, 0)
        session = next
        cursor = cursor || `${[session.since]}`
        openIn()
      })
    }
  }

  // Messages may have come for the channels that are missing: then it must be opened anew from the cursor.
  const isLacking = () => lacking(asked.concat(unnamed), channels()).length

  const close = () => {
    rest()
    clearTimeout(gapTimer)
    unfollow()
  }

  const end = (ending: Close) => {
    close()
    tell(options.onclose, ending)
  }

  const fail = (refusal: Refusal, status: number) => {
    const { code, channel, retryAfter } = refusal
    const isTokenRefused = status === 401 && typeof source === 'function'
    // Its listeners stay, for messages to users may bear it as a label. What the page named when it connected is for its author
    // to mend.
    const isDropped = channel && lacks(list('channels'), channel)
    unnamed = unnamed.concat(channel || [])
    if (isTokenRefused) {
      session = {}
      // Doing so twice would be a tight loop.
      if (!failures) {
        failures = 1
        return openIn()
      }
    }
    // Only the push server's own word is final, and not if it says when to come back; what a proxy says may pass.
    const final = code && status > 399 && status < 500 && !(retryAfter || isTokenRefused || isDropped)
    if (final) close()
    else if (isDropped) openIn()
    else openIn((retryAfter || 0) * 1000 + backoffMs(failures++), retryAfter ? 0 : IDLE)
    tell(options.onerror, {
      code: code || 'network',
      message: refusal.message || 'No answer',
      status,
      final: !!final,
    })
  }

  const address: Address = path => {
    const query: string[] = []
    const add = (name: string, values: string | readonly string[] | null | undefined) => {
      none.concat(values).forEach(value => {
        if (value) query.push(`${name}=${encodeURIComponent(value)}`)
      })
    }
    // As long as no name is given, a request gets all that the visitor's identity lists, which is what `*` stands for. One that names
    // a channel gets only those that it names.
    const fixed = list('channels')
    const more = fixed.length || uid !== 0 ? lacking(unnamed, channels()) : []
    asked = lacking([], (fixed.length ? fixed : ['*']).concat(more))
    add('token', session.token)
    add('channel', asked)
    add('grant', list('grants'))
    add('since', cursor)
    return base + path + query.join('&')
  }

  const take: Take = (answer, status) => {
    const { ready, gap, messages, close: ending } = answer
    if (!messages) return fail(answer, status || 0)
    const mine = timer
    const isRunning = () => mine === timer
    // Another tab's connection may be behind.
    const start = gap ? 0 : place(cursor)
    if (ready) {
      cursor = cursor || answer.cursor
      // What the page shows was made for somebody else, and so was the cursor.
      if (uid !== 0 && uid !== ready.uid) end({ reason: 'identity', reconnect: false, retryMs: 0 })
      else {
        uid = ready.uid
        unnamed = unnamed.concat(lacking(asked.concat(unnamed), ready.channels))
        if (isLacking()) openIn()
        else {
          // It may come again while the subscription stands, with other channels or other users online.
          state = STANDS
          failures = 0
          tell(options.onready, ready)
        }
      }
    }
    if (gap && isRunning()) {
      cursor = gap.cursor
      // The server sees only that we reopened, not what we had before.
      if (hasStood) gap.initial = false
      clearTimeout(gapTimer)
      gapTimer = setTimeout(() => {
        tell(options.ongap, gap)
        host.tellGap(gap)
      }, Math.random() * gap.spreadMs)
    }
    messages.forEach(message => {
      if (!isRunning() || (message.id && place(message.id) <= start)) return
      // Before the page's code, which may reopen.
      cursor = message.id || cursor
      deliver(message)
    })
    if (!isRunning()) return
    if (place(answer.cursor) > start) cursor = answer.cursor
    if (!ending) return
    if (ending.reason === 'expired') session = {}
    if (ending.reconnect) openIn(ending.retryMs || backoffMs(failures++))
    else end(ending)
  }

  openIn()
  const unfollow = host.follow(
    rest,
    () => {
      if (state === IDLE) openIn()
    },
    options,
  )
  return {
    extend() {
      if (state === STANDS && isLacking()) openIn()
    },
    close,
  }
}
