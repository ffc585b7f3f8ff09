import type { Ready } from './frames.js'
import { isBehind } from './order.js'
import type { Batch, Subscription, Wants } from './receiver.js'
import { request } from './request.js'
import { has } from './wants.js'

// After this, in ms, a tab that has read and is still behind reads again: another node of the server may be.
const AGAIN_MS = 1000

type Told = { -readonly [Part in keyof Ready]: Ready[Part] }

/** Something that came over the connection for all tabs. */
export interface Relay {
  readonly batch: Batch
  /** Where the connection was before it: who is behind that has missed something. Missing in the tab that holds the connection. */
  readonly at?: string | undefined
  /** What the connection asks for, if it has a `ready`. */
  readonly wants?: Wants | undefined
  /** Set if it is an answer to this tab, of which the page knows by a poll. */
  readonly to?: string | undefined
}

/** What the server has said to this tab, in answer to what this tab alone wants. */
export interface Known {
  ready?: Ready | undefined
}

/** Takes for one tab what is its own, in order, from what comes for all tabs; and reads what it lacks by a poll of its own. */
export interface Inbox {
  /** Takes what came, now or once it has read what was before that. */
  take(relay: Relay): void
  /** Reads what this tab lacks. */
  read(): void
  stop(): void
}

/**
 * Creates an inbox.
 *
 * @param own is kept up to date
 * @param stranger is called when the connection turns out to be somebody else's
 * @param onRead is called when this tab has read
 */
export function createInbox(
  subscription: Subscription,
  mine: Wants,
  credentials: boolean,
  own: Known,
  stranger: () => void,
  onRead: () => void,
): Inbox {
  let listed: readonly string[] = []
  let waiting: Relay[] = []
  let isReading = false
  let lastRead: string | undefined
  let cancel = () => {}

  const isMine = (name: string) => has(mine.channels, name) || !own.ready || has(own.ready.channels, name)

  const read = () => {
    if (isReading) return
    const cursor = subscription.cursor()
    isReading = true
    const timer = setTimeout(
      () => {
        lastRead = cursor
        cancel = request(subscription.address('poll', 'wait=0'), credentials, (status, body) => {
          if (!body?.messages) return subscription.fail(status, body)
          if (body.ready) own.ready = body.ready
          if (!subscription.take(body)) return
          isReading = false
          onRead()
          const relays = waiting
          waiting = []
          relays.forEach(take)
        })
      },
      cursor === lastRead ? AGAIN_MS : 0,
    )
    cancel = () => clearTimeout(timer)
  }

  const take = (relay: Relay) => {
    const { batch, at, wants, to } = relay
    const { ready, gap, close } = batch
    const cursor = subscription.cursor()
    const readFirst = () => {
      waiting.push(relay)
      read()
    }
    // What the tab's own connection brings is always next.
    if (isReading || (at && (!own.ready || isBehind(cursor, at)))) return readFirst()
    if (ready) {
      if (at && own.ready && own.ready.uid !== ready.uid) return stranger()
      const before = listed
      listed = ready.channels
      // Given by the CMS, or by another tab's grant? Only the server can say.
      const isNew = (name: string) =>
        !isMine(name) && !has(before, name) && (!wants || !has(wants.channels, name))
      if (!own.ready || listed.some(isNew)) return readFirst()
    }
    // A copy, because the connection's own `ready` is told to other tabs.
    const told: Told | undefined = ready && !to && JSON.parse(JSON.stringify(ready))
    if (told) {
      told.channels = listed.filter(isMine)
      if (own.ready) told.refused = own.ready.refused
    }
    if (gap && at) gap.initial = false
    subscription.take({
      ready: told,
      gap,
      messages: batch.messages.filter(({ id, channel, channels = channel ? [channel] : [] }) => {
        if (!gap && id && !isBehind(cursor, id)) return false
        // A name that the connection does not have is a label, on a message to the user.
        return !channels.length || channels.some(name => isMine(name) || !has(listed, name))
      }),
      cursor: gap || isBehind(cursor, batch.cursor) ? batch.cursor : '',
      close,
    })
  }

  return { take, read, stop: () => cancel() }
}
