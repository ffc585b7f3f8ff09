import { place } from './cursor.js'
import { lacking, lacks, none } from './names.js'
import { note } from './note.js'
import type { PageOptions } from './page-options.js'
import { receivePolls } from './poll.js'
import type { Address, Batch, Receive, Take } from './receiver.js'
import type { Transports } from './transport.js'

// How long, in ms, the leader collects what other tabs want before it reopens.
const COLLECT_MS = 50
// How often, in ms, a tab looks whether the leader has said anything.
const LOOK_MS = 4000
// After so many looks in vain it asks the leader, and at the next one takes the lead.
const VAIN_LOOKS = 2

/** What tabs say to each other. Pages with different versions of the script do so, too: the words stay as they are. */
type Word = Wishes | Alive | Brought

/** What a tab wants that is not brought by the leader: parts of its address. */
interface Wishes extends ReadonlyArray<string> {
  readonly batch?: undefined
}

/** The leader has heard a tab, whether it has a connection or not. */
interface Alive {
  readonly length?: undefined
  readonly batch?: undefined
}

/** What came over the leader's connection. */
interface Brought {
  readonly length?: undefined
  readonly batch: Batch
  /** Where the connection was before: who is behind that has missed something. */
  readonly at: string
  /** What the connection asks for. */
  readonly asks: readonly string[]
  /** The channels that it has. */
  readonly names: readonly string[]
  /** Whether there is news about the visitor. Each tab then reads its own. */
  isNews: boolean | undefined
}

/** How a page receives by way of one connection for several tabs. */
export interface Shared {
  readonly receive: Receive
  /** Leaves the other tabs, until something is to be received again. */
  rest(): void
}

/**
 * Shares one connection, if it can and may be shared, between all tabs of a browser that use the same server and the same key: one
 * of them leads, and hands on what comes. Each has a cursor of its own, drops what it has, and polls by itself for what it lacks: one
 * that joins or returns, and one that wants what the server does not give together with what the leader wants.
 *
 * Who holds the lock leads. Some browsers suspend hidden pages with their locks and without a word, and a page may hang, so a leader that
 * does not answer loses the lock to one who asks.
 */
export function tabs(url: string, options: PageOptions, transports: Transports): Shared {
  // Only tabs of the same visitor may meet. Nobody here knows whose the cookies are.
  const { share } = options
  const key = share != null || options.credentials || options.session ? share : options.token
  if (typeof key !== 'string' || !key || !navigator.locks || !window.BroadcastChannel) {
    return { receive: transports.receive, rest() {} }
  }

  // Leads out of the tabs that share; set while this one is among them.
  let leave: (() => void) | null
  let say: (word: Word) => void
  let isLeader: boolean | undefined
  // When the leader reopens for what others want.
  let timer: ReturnType<typeof setTimeout> | undefined
  // Looks since the leader was heard.
  let looks = 0
  // While this tab receives: where it asks, and what takes what comes.
  let isReceiving: boolean | undefined
  let address: Address
  let take: Take
  // What this tab wants, as parts of its address; what others want; and what the leader's connection asks for.
  let mine: readonly string[]
  let others: readonly string[]
  let asks: readonly string[] = []
  // The channels of the leader's connection, and where it is.
  let names: readonly string[]
  let position: string
  // The channels of this tab, as far as the server has said which.
  let own: readonly string[] | null
  // Set while this tab reads by itself: what came meanwhile.
  let waiting: readonly Brought[] | null
  let cancelRead = () => {}
  let cancel = () => {}

  const begin = () => {
    cancelRead()
    cancel()
    waiting = null
    if (!isReceiving) return
    mine = address('').match(/(channel|grant)=[^&]*/g) || []
    note(isLeader ? 'leads' : 'asks', 'tabs')
    if (isLeader) lead()
    else say(mine)
  }

  const brought = (batch: Batch, at: string, isNews?: boolean): Brought => ({
    batch,
    at,
    asks,
    names,
    isNews,
  })

  const lead = () => {
    const more = lacking(mine, others)
    // Not what comes first after it was opened for the others only.
    let isNews = !own
    asks = mine.concat(more)
    names = []
    position = ''
    cancel = transports.receive(
      path => address(path + more.concat('').join('&')),
      (answer, status) => {
        const { ready, messages, cursor, close } = answer
        if (!messages) {
          if (!more.length || !answer.code) return take(answer, status)
          // The server may refuse only what others want. They are not told, for they would ask again at once; they poll.
          others = []
          return begin()
        }
        const isTold = ready && isNews
        if (ready) {
          names = ready.channels
          isNews = true
        }
        const word = brought(answer, position || cursor, isTold)
        position = cursor || position
        // What the leader mends by itself is not the others' concern.
        if (!Object(close).reconnect) say(word)
        if (more.length) follow(word)
        else {
          own = names
          take(answer)
        }
      },
    )
  }

  /** Receives by itself, until it has what the leader has. */
  const read = () => {
    cancelRead()
    cancelRead = receivePolls(
      address,
      (answer, status) => {
        const words = waiting || []
        if (answer.ready) own = answer.ready.channels
        take(answer, status)
        waiting = []
        words.forEach(follow)
      },
      transports.ask,
    )
  }

  const follow = (word: Brought) => {
    if (!isReceiving) return
    const { batch } = word
    const isBrought = !lacking(word.asks, mine).length
    if (word.isNews) {
      word.isNews = false
      own = waiting = null
      if (!isBrought) say(mine)
    }
    if (isBrought && own && place(word.at) <= place(address(''))) {
      cancelRead()
      waiting = null
      // A name that the connection does not have is a label, on what was sent to the user.
      const isMine = (name: string | null | undefined) => !lacks(own || [], name) || lacks(word.names, name)
      batch.ready = undefined
      batch.messages = batch.messages.filter(message =>
        none.concat(message.channels || message.channel).some(isMine),
      )
      take(batch)
    } else {
      if (!waiting) read()
      waiting = isBrought ? (waiting || []).concat(word) : []
    }
  }

  const hear = ({ data: word }: MessageEvent<Word>) => {
    if (!word.length) {
      looks = 0
      if (!isLeader && word.batch) {
        note('gets', word.batch)
        follow(word)
      }
    } else if (isLeader) {
      others = others.concat(lacking(others, word))
      const isLacking = lacking(asks, word).length
      if (isLacking) {
        clearTimeout(timer)
        timer = setTimeout(begin, COLLECT_MS)
      }
      say(isReceiving && position && !isLacking ? brought({ messages: [], cursor: '' }, position) : {})
    }
  }

  /** Comes to the other tabs, or comes anew. `steal`: to lead. */
  const join = (steal?: boolean) => {
    if (leave) leave()
    // The token may be in it: it must not be printed.
    const name = `downpipe ${new URL(url || '/', document.baseURI)} ${key}`
    const channel = new BroadcastChannel(name)
    const abort = new AbortController()
    const signal = abort.signal
    const left = new Promise(resolve => {
      signal.onabort = resolve
    })
    const won = () => {
      if (signal.aborted) return left
      isLeader = true
      own = null
      others = []
      begin()
      return left
    }
    channel.onmessage = hear
    say = word => channel.postMessage(word)
    const look = setInterval(() => {
      if (!isReceiving || isLeader || ++looks < VAIN_LOOKS) return
      if (looks > VAIN_LOOKS) join(true)
      else say(mine)
    }, LOOK_MS)
    leave = () => {
      clearTimeout(look)
      channel.close()
      abort.abort()
      leave = own = null
      looks = 0
      isLeader = false
    }
    navigator.locks.request(name, steal ? { steal } : { signal }, won).catch(() => {
      if (signal.aborted) return
      // It was taken away; or there are no locks to be had, as in a sandboxed frame, and a tab leads itself.
      if (isLeader) join()
      else won()
    })
    begin()
  }

  return {
    receive(nextAddress, nextTake) {
      address = nextAddress
      take = nextTake
      isReceiving = true
      own = null
      if (leave) begin()
      else join()
      return () => {
        isReceiving = false
        begin()
      }
    },
    rest() {
      if (leave) leave()
    },
  }
}
