import type { Ready } from './frames.js'
import type { Host } from './host.js'
import { createInbox, type Known, type Relay } from './inbox.js'
import { type Leadership, waitForLead } from './leadership.js'
import type { PageOptions } from './page-options.js'
import type { Receive, Subscription, Wants } from './receiver.js'
import { shareName } from './share-name.js'
import { covers, named, unite, unnamed } from './wants.js'
import { watch } from './watch.js'

// Without an answer for so long, in ms, a leader is stuck; without a place in its connection a tab takes one of its own.
const ANSWER_MS = 8000
// Having heard nothing for so long, more than two heartbeats, a tab asks whether its leader is there.
const SILENCE_MS = 60000
// How long the leader collects what other tabs want before it reopens.
const COLLECT_MS = 50

/** What tabs say to each other. Pages with different versions of the script do so, too: the words stay as they are. */
interface Word extends Partial<Relay> {
  /** Asks whether there is a leader, and for what `wants` names, if it names anything. */
  readonly hello?: boolean
  /** The tab goes away. */
  readonly bye?: boolean
}

/** How a page receives by way of one connection for several tabs. */
export interface Shared {
  readonly receive: Receive<Subscription>
  /** Leaves the other tabs, until something is to be received again. */
  release(): void
}

/** Shares a connection between tabs; undefined: it cannot or may not be shared. */
export type ShareTabs = (
  url: string,
  options: PageOptions,
  receiveBy: Receive,
  note: Host['note'],
) => Shared | undefined

/**
 * Shares one connection between all tabs of a browser that use the same server and the same key: one of them leads, and hands on
 * what comes. Each has a cursor of its own, drops what it has, and reads what it lacks by a poll of its own.
 */
export const tabs: ShareTabs = (url, options, receiveBy, note) => {
  const name = shareName(url, options)
  if (!name) return undefined

  const id = Math.random().toString(36)
  const credentials = !!options.credentials
  let leadership: Leadership | undefined
  let channel: BroadcastChannel | undefined
  let isLeader = false
  // The browser does not let tabs meet, as in a sandboxed frame.
  let isBarred = false
  // Set while this tab receives.
  let subscription: Subscription | undefined
  const own: Known = {}
  // What the other tabs want, as far as this one has led; and whether that is more than the server gives.
  let others: Record<string, Wants> = {}
  let isTooMuch = false
  let hear: (from: string, word: Word) => void
  let stop = () => {}

  const say = (word: Word) => {
    if (channel) channel.postMessage([id, word])
  }

  const start = (isAlone: boolean) => {
    stop()
    // Whoever waits to try again is there, and may keep the lead.
    hear = (from, { hello }) => {
      if (hello && isLeader) say({ to: from })
    }
    if (!subscription) return
    const cancel =
      isAlone || isBarred ? receiveBy(subscription, credentials) : (isLeader ? lead : follow)(subscription)
    stop = () => {
      stop = () => {}
      cancel()
    }
  }
  const restart = () => start(false)

  const lead = (receiver: Subscription) => {
    const mine = named(receiver.wants())
    const inbox = createInbox(receiver, mine, credentials, own, restart, () => {})
    const tabs = isTooMuch ? [] : Object.keys(others)
    let union = mine
    tabs.forEach(tab => {
      union = unite(union, others[tab] || mine)
    })
    let place = receiver.cursor()
    let standing: Ready | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    note(`Leads ${tabs.length} other tabs`)
    hear = (from, { hello, bye, wants }) => {
      if (bye) delete others[from]
      if (!hello) return
      if (wants) others[from] = wants
      if (wants && !isTooMuch && !covers(union, wants)) {
        clearTimeout(timer)
        timer = setTimeout(restart, COLLECT_MS)
      } else if (standing)
        say({ to: from, at: place, wants: union, batch: { ready: standing, messages: [], cursor: '' } })
      else say({ to: from })
    }
    const cancel = receiveBy(
      {
        address: (path, part) => receiver.address(path, part, unnamed(union)),
        take(batch) {
          const { ready, gap, messages, cursor, close } = batch
          const wants = ready && union
          if (ready) {
            standing = ready
            if (!tabs.length) own.ready = ready
          }
          say({
            at: /-/.test(place) ? place : cursor,
            wants,
            batch: { ready, gap, messages, cursor, close: close && !close.reconnect ? close : undefined },
          })
          place = cursor || place
          inbox.take({ batch, wants })
          return !isOver
        },
        fail(status, refusal) {
          const { code, retryAfter } = refusal || {}
          standing = undefined
          if (tabs.length && code && !retryAfter && status > 399 && status < 500 && status !== 401) {
            note('The server refuses what the tabs want together')
            isTooMuch = true
            restart()
          } else receiver.fail(status, refusal)
        },
      },
      credentials,
    )
    return () => {
      isOver = true
      clearTimeout(timer)
      inbox.stop()
      cancel()
    }
  }

  const follow = (receiver: Subscription) => {
    const mine = named(receiver.wants())
    let leader = ''
    let isCarried = false
    let hasAsked = false
    let timer: ReturnType<typeof setTimeout> | undefined
    own.ready = undefined
    const ask = () => {
      if (isCarried || hasAsked) return
      hasAsked = true
      say({ hello: true, wants: mine })
      timer = setTimeout(() => {
        if (!isCarried) start(true)
      }, ANSWER_MS)
    }
    const inbox = createInbox(receiver, mine, credentials, own, () => start(true), ask)
    let watching = watch(ANSWER_MS, isSure => {
      if (!isSure || !leadership) return restart()
      note('No tab answers: takes the lead')
      leadership.steal()
    })
    let hasHeard = false
    hear = (from, word) => {
      const { to, at, wants, batch, hello, bye } = word
      if (hello || bye || (to && to !== id)) return
      if (!hasHeard) {
        hasHeard = true
        note('Follows another tab')
        watching.stop()
        watching = watch(SILENCE_MS, restart)
      }
      watching.sign()
      if (wants) {
        isCarried = covers(wants, mine)
        if (isCarried || from !== leader) hasAsked = false
        leader = from
        // What cannot be had must not be asked for together with what can.
        if (!isCarried) own.ready ? ask() : inbox.read()
      }
      if (batch && isCarried && from === leader) inbox.take({ to, at, wants, batch })
    }
    say({ hello: true })
    return () => {
      clearTimeout(timer)
      watching.stop()
      inbox.stop()
    }
  }

  const release = () => {
    say({ bye: true })
    if (channel) channel.close()
    if (leadership) leadership.release()
    channel = leadership = undefined
    isLeader = false
  }

  return {
    receive(receiver) {
      subscription = receiver
      if (!channel) {
        channel = new BroadcastChannel(name)
        channel.onmessage = ({ data: [from, word] }) => hear(from, word)
        leadership = waitForLead(
          name,
          () => {
            isLeader = true
            others = {}
            isTooMuch = false
            restart()
          },
          () => {
            isLeader = false
            restart()
          },
          () => {
            isBarred = true
            restart()
          },
        )
      }
      restart()
      return () => {
        subscription = undefined
        restart()
      }
    },
    release,
  }
}
