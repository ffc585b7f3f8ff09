import type { Ready } from './frames.js'
import { has, lacking } from './names.js'
import { note } from './note.js'
import type { PageOptions } from './page-options.js'
import type { Batch, Receive, Receiver } from './receiver.js'
import { request } from './request.js'

// How long, in ms, the leader collects what other tabs want before it reopens.
const COLLECT_MS = 50
// How long, in ms, a tab waits before it reads once more: a node of the server may be behind.
const AGAIN_MS = 100

/** What tabs say to each other. Pages with different versions of the script do so, too: the words stay as they are. */
interface Word {
  /** What a tab that comes wants. */
  readonly hello?: readonly string[]
  /** What came over the leader's connection. Without it and `hello`: the server refuses what the tabs want together. */
  readonly batch?: Batch
  /** Where the leader's connection was before: who is behind that has missed something. Empty in the leader itself. */
  readonly at?: string
  /** With a `ready`: what the leader's connection asks for. */
  readonly wants?: readonly string[] | undefined
  /** Whether nothing else has changed: tabs that have what they want need not look. */
  readonly isQuiet?: boolean | undefined
}

/** How a page receives by way of one connection for several tabs. */
export interface Shared {
  readonly receive: Receive
  /** Leaves the other tabs, until something is to be received again. */
  release(): void
}

/** Shares a connection between tabs; undefined: it cannot or may not be shared. */
export type ShareTabs = (url: string, options: PageOptions, receiveBy: Receive) => Shared | undefined

/** The number at the end of a cursor, or of an address that ends with one; NaN where there is none. */
const place = (cursor: string) => Number(cursor.split('-').pop())

/**
 * Shares one connection between all tabs of a browser that use the same server and the same key: one of them leads, and hands on
 * what comes. Each has a cursor of its own, drops what it has, and reads what it lacks by a poll of its own.
 *
 * The words below are handed on in their order, so that a tab knows by `at` whether it has missed one: one that came before it was
 * there, or while the leader's connection did not bring what it wants, or from the last leader.
 */
export const tabs: ShareTabs = (url, options, receiveBy) => {
  // Only tabs of the same visitor may meet. Nobody here knows whose the cookies are.
  const key = options.share ?? (options.credentials || options.session || options.token)
  if (typeof key !== 'string' || !key || !navigator.locks || !window.BroadcastChannel) return undefined

  const credentials = !!options.credentials
  let channel: BroadcastChannel | undefined
  let leave: () => void
  let isLeader = false
  // The server refuses what this tab wants together with what others want.
  let isAlone = false
  // The leader's connection brings what this tab wants.
  let isCarried = false
  // Set while this tab receives.
  let receiver: Receiver | undefined
  // What this tab wants, as parts of its address; what the others want; and what the leader's connection asks for.
  let mine: readonly string[]
  let others: readonly string[]
  let union: readonly string[]
  // What the server has said to this tab, and to the leader's connection; and where that is.
  let own: Ready | undefined
  let theirs: Ready | undefined
  let position: string
  // Set while this tab reads: what came meanwhile.
  let waiting: Word[] | undefined
  let cancelRead = () => {}
  let cancel = () => {}

  const say = (word: Word) => {
    if (channel) channel.postMessage(word)
  }

  const begin = (isQuiet: boolean) => {
    cancelRead()
    cancel()
    waiting = theirs = undefined
    isCarried = isCarried && isQuiet
    if (!receiver) return
    const asked: readonly string[] = receiver.address('poll').match(/(channel|grant)=[^&]*/g) || []
    mine = /channel/.test(asked.join()) ? asked : asked.concat('channel=*')
    note(isAlone ? 'Has a connection of its own' : isLeader ? 'Leads the tabs' : 'Asks for the leading tab')
    if (isAlone) cancel = receiveBy(receiver, credentials)
    else if (isLeader) cancel = lead(receiver, asked, isQuiet)
    else say({ hello: mine })
  }

  const lead = (receiver: Receiver, asked: readonly string[], isQuiet: boolean) => {
    const more = lacking(mine, others)
    union = mine.concat(more)
    position = ''
    const stop = receiveBy(
      {
        address: (path, part) =>
          receiver.address(path, (more.length ? lacking(asked, union) : []).concat(part || []).join('&')),
        take(batch) {
          const ready = batch.ready
          const wants = ready && union
          const run = cancel
          // What the leader mends by itself is not the others' concern.
          if (!batch.close?.reconnect) {
            say({ batch, at: position || batch.cursor, wants, isQuiet })
          }
          position = batch.cursor || position
          if (more.length) follow({ batch, wants, isQuiet })
          else {
            if (ready) own = theirs = ready
            isCarried = true
            receiver.take(batch)
          }
          return run === cancel
        },
        fail(status, refusal) {
          if (!more.length) return receiver.fail(status, refusal)
          others = []
          say({})
          begin(false)
        },
      },
      credentials,
    )
    return () => stop()
  }

  /** Reads what is missing, then goes on with the word. */
  const read = (receiver: Receiver, word: Word) => {
    cancelRead()
    waiting = [word]
    const timer = setTimeout(
      () => {
        cancelRead = request(receiver.address('poll', 'wait=0'), credentials, (status, body) => {
          const words = waiting
          waiting = undefined
          if (!body?.messages) receiver.fail(status, body)
          else {
            own = body.ready
            if (receiver.take(body) && words) words.forEach(hand)
          }
        })
      },
      isCarried && own ? AGAIN_MS : 0,
    )
    cancelRead = () => clearTimeout(timer)
  }

  /** Hands on what is this tab's. */
  const hand = (word: Word) => {
    const batch = word.batch
    if (waiting) waiting.push(word)
    else if (receiver && batch) {
      const here = place(receiver.address('poll'))
      if (word.at && !(place(word.at) <= here)) return read(receiver, word)
      // A name that the connection does not have is a label, on what was sent to the user.
      const isMine = (name: string) =>
        own && theirs && (has(own.channels, name) || !has(theirs.channels, name))
      receiver.take({
        gap: batch.gap,
        messages: batch.messages.filter(message => {
          const names = message.channels || (message.channel ? [message.channel] : [])
          return (
            (batch.gap || !message.id || !(place(message.id) <= here)) &&
            (!names.length || names.some(isMine))
          )
        }),
        cursor: batch.gap || !(place(batch.cursor) <= here) ? batch.cursor : '',
        close: batch.close,
      })
    }
  }

  const follow = (word: Word) => {
    const wants = word.wants
    const wasCarried = isCarried
    if (wants && word.batch) {
      theirs = word.batch.ready
      isCarried = !lacking(wants, mine).length
    }
    if (!isCarried) say({ hello: mine })
    else if (receiver && wants && !(word.isQuiet && wasCarried)) read(receiver, word)
    else hand(word)
  }

  const hear = (word: Word) => {
    const hello = word.hello
    if (!receiver || isAlone || isLeader !== !!hello) return
    if (hello) {
      if (!lacking(union, hello).length) {
        const batch = { ready: theirs, messages: [], cursor: '' }
        if (theirs) say({ batch, at: position, wants: union, isQuiet: true })
      } else {
        others = others.concat(hello)
        setTimeout(() => {
          if (isLeader && lacking(union, others).length) begin(true)
        }, COLLECT_MS)
      }
    } else if (word.batch) follow(word)
    else if (!isCarried) {
      isAlone = true
      begin(false)
    }
  }

  const join = () => {
    // The token may be in it: it must not be printed.
    const name = `downpipe ${new URL(url || '/', document.baseURI)} ${key}`
    const mine = new BroadcastChannel(name)
    const abort = new AbortController()
    let free = () => {}
    const won = () => {
      if (channel !== mine) return
      isLeader = true
      isAlone = false
      others = []
      begin(false)
    }
    channel = mine
    mine.onmessage = event => hear(event.data)
    leave = () => {
      mine.close()
      abort.abort()
      free()
      channel = undefined
      isLeader = false
    }
    navigator.locks
      .request(name, { signal: abort.signal }, () => {
        won()
        return new Promise<void>(resolve => {
          free = resolve
          if (channel !== mine) resolve()
        })
      })
      // Where there are no locks to be had, as in a sandboxed frame, a tab leads itself.
      .catch(won)
  }

  return {
    receive(next) {
      receiver = next
      isAlone = false
      if (!channel) join()
      begin(false)
      return () => {
        receiver = undefined
        begin(false)
      }
    },
    release() {
      if (channel) leave()
    },
  }
}
