import { place } from './cursor.js'
import { channelsOf, has, lacking } from './names.js'
import { note } from './note.js'
import type { PageOptions } from './page-options.js'
import { pollBy } from './poll.js'
import type { Batch, Receive, Receiver } from './receiver.js'
import { request } from './request.js'

// How long, in ms, the leader collects what other tabs want before it reopens.
const COLLECT_MS = 50
// How often, in ms, a tab looks whether the leader has said anything.
const LOOK_MS = 4000
// After so many looks in vain it asks the leader, and at the next one takes the lead.
const VAIN_LOOKS = 2

/** What tabs say to each other. Pages with different versions of the script do so, too: the words stay as they are. */
type Word = Hello | Alive | Brought

/** What a tab wants that is not brought by the leader. */
interface Hello {
  readonly wants: readonly string[]
}

/** The leader has heard a tab, whether it has a connection or not. */
interface Alive {
  readonly wants?: undefined
  readonly batch?: undefined
}

/** What came over the leader's connection. */
interface Brought {
  readonly wants?: undefined
  readonly batch: Batch
  /** Where the connection was before: who is behind that has missed something. */
  readonly at: string
  /** What the connection asks for. */
  readonly asks: readonly string[]
  /** The channels that it has. */
  readonly names: readonly string[]
  /** Whether there is news about the visitor. Each tab then reads its own. */
  isNews: boolean
}

/** How a page receives by way of one connection for several tabs. */
export interface Shared {
  readonly receive: Receive
  /** Leaves the other tabs, until something is to be received again. */
  rest(): void
}

/** Shares a connection between tabs, if it can and may be shared. */
export type ShareTabs = (url: string, options: PageOptions, receiveBy: Receive) => Shared

/**
 * Shares one connection between all tabs of a browser that use the same server and the same key: one of them leads, and hands on
 * what comes. Each has a cursor of its own, drops what it has, and polls by itself for what it lacks: one that joins or returns, and
 * one that wants what the server does not give together with what the leader wants.
 *
 * Who holds the lock leads. Some browsers suspend hidden pages with their locks and without a word, and a page may hang, so a leader that
 * does not answer loses the lock to one who asks.
 */
export const tabs: ShareTabs = (url, options, receiveBy) => {
  // Only tabs of the same visitor may meet. Nobody here knows whose the cookies are.
  const key = options.share ?? (options.credentials || options.session || options.token)
  if (typeof key !== 'string' || !key || !navigator.locks || !window.BroadcastChannel) {
    return { receive: receiveBy, rest() {} }
  }

  const credentials = !!options.credentials
  // Leads out of the tabs that share; set while this one is among them.
  let leave: (() => void) | undefined
  let say: (word: Word) => void
  let isLeader = false
  // Looks since the leader was heard.
  let looks = 0
  // Set while this tab receives.
  let receiver: Receiver | undefined
  // What this tab wants, as parts of its address; what others want; and what the leader's connection asks for.
  let mine: readonly string[]
  let others: readonly string[]
  let asks: readonly string[]
  // The channels of the leader's connection, and where it is.
  let names: readonly string[] | undefined
  let position: string
  // The channels of this tab, as far as the server has said which.
  let own: readonly string[] | undefined
  // Set while this tab reads by itself: what came meanwhile.
  let waiting: readonly Brought[] | undefined
  let cancelRead = () => {}
  let cancel = () => {}

  const begin = () => {
    cancelRead()
    cancel()
    waiting = undefined
    looks = 0
    if (!receiver) return
    const address = receiver.address('poll')
    const named: readonly string[] = address.match(/(channel|grant)=[^&]*/g) || []
    mine = /channel=/.test(address) ? named : named.concat('channel=*')
    if (isLeader) cancel = lead(receiver, named)
    else say({ wants: mine })
  }

  const lead = (receiver: Receiver, named: readonly string[]) => {
    const more = lacking(mine, others)
    note('Leads the tabs. Asks for others, too', more.length)
    // Not what comes first after it was opened for the others only.
    let isNews = !own
    asks = mine.concat(more)
    names = undefined
    position = ''
    const parts = more.length ? lacking(named, asks) : []
    return receiveBy(
      {
        address: (path, part) => receiver.address(path, parts.concat(part || []).join('&')),
        take(batch) {
          const { ready, close, cursor } = batch
          if (ready) names = ready.channels
          const word = { batch, at: position || cursor, asks, names: names || [], isNews: isNews && !!ready }
          position = cursor || position
          isNews = isNews || !!ready
          // What the leader mends by itself is not the others' concern.
          if (!close?.reconnect) say(word)
          if (more.length) follow(word)
          else {
            own = names
            receiver.take(batch)
          }
        },
        fail(status, refusal) {
          if (!more.length || !refusal.code) return receiver.fail(status, refusal)
          // The server may refuse only what others want. They are not told, for they would ask again at once; they poll.
          others = []
          begin()
        },
      },
      credentials,
    )
  }

  /** Receives by itself, until it has what the leader has. */
  const read = (receiver: Receiver) => {
    note('Follows. Asks by', 'poll')
    cancelRead()
    cancelRead = pollBy(request)(
      {
        address: receiver.address,
        take(batch) {
          const words = waiting || []
          if (batch.ready) own = batch.ready.channels
          receiver.take(batch)
          waiting = []
          words.forEach(follow)
        },
        fail: receiver.fail,
      },
      credentials,
    )
  }

  const follow = (word: Brought) => {
    const { batch, at, asks, names } = word
    if (!receiver) return
    const isBrought = !lacking(asks, mine).length
    if (word.isNews) {
      word.isNews = false
      own = waiting = undefined
      if (!isBrought) say({ wants: mine })
    }
    const channels = own
    if (isBrought && channels && place(at) <= place(receiver.address('poll'))) {
      cancelRead()
      waiting = undefined
      // A name that the connection does not have is a label, on what was sent to the user.
      const isMine = (name: string | undefined) => has(channels, name) || !has(names, name)
      receiver.take({
        gap: batch.gap,
        messages: batch.messages.filter(message => channelsOf(message).some(isMine)),
        cursor: batch.cursor,
        close: batch.close,
      })
    } else {
      if (!waiting) read(receiver)
      waiting = isBrought ? (waiting || []).concat(word) : []
    }
  }

  const hear = (word: Word) => {
    const { wants } = word
    if (!wants) {
      looks = 0
      if (!isLeader && word.batch) follow(word)
      return
    }
    if (!isLeader) return
    say({})
    if (!receiver) return
    others = others.concat(lacking(others, wants))
    if (lacking(asks, wants).length) {
      setTimeout(() => {
        if (isLeader && lacking(asks, others).length) begin()
      }, COLLECT_MS)
    } else if (names) {
      say({ batch: { messages: [], cursor: '' }, at: position, asks, names, isNews: false })
    }
  }

  /** Comes to the other tabs, or comes anew. `steal`: to lead. */
  const join = (steal?: boolean) => {
    if (leave) leave()
    // The token may be in it: it must not be printed.
    const name = `downpipe ${new URL(url || '/', document.baseURI)} ${key}`
    const channel = new BroadcastChannel(name)
    const abort = new AbortController()
    const left = new Promise(resolve => {
      abort.signal.onabort = resolve
    })
    const won = () => {
      if (abort.signal.aborted) return left
      isLeader = true
      own = undefined
      others = []
      begin()
      return left
    }
    channel.onmessage = event => hear(event.data)
    say = word => channel.postMessage(word)
    const timer = setInterval(() => {
      if (!receiver || isLeader || ++looks < VAIN_LOOKS) return
      if (looks > VAIN_LOOKS) join(true)
      else say({ wants: mine })
    }, LOOK_MS)
    leave = () => {
      clearInterval(timer)
      channel.close()
      abort.abort()
      leave = undefined
      own = undefined
      isLeader = false
    }
    navigator.locks.request(name, steal ? { steal } : { signal: abort.signal }, won).catch(() => {
      if (abort.signal.aborted) return
      // It was taken away; or there are no locks to be had, as in a sandboxed frame, and a tab leads itself.
      if (isLeader) join()
      else won()
    })
    begin()
  }

  return {
    receive(next) {
      receiver = next
      own = undefined
      if (leave) begin()
      else join()
      return () => {
        receiver = undefined
        begin()
      }
    },
    rest() {
      if (leave) leave()
    },
  }
}
