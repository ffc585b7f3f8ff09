import { note } from './note.js'
import type { ConnectOptions, Transport } from './options.js'
import { receivePolls } from './poll.js'
import type { Receive, Request, Take } from './receiver.js'
import { requestWith } from './request.js'
import { receiveStream } from './stream.js'

// How often to look whether anything comes, in ms.
const LOOK_MS = 4000
// Looks at which the first frame may still be missing. With one more, that is longer than the server waits for the CMS (5 s): a slow
// CMS must not push everybody to polling.
const FIRST_LOOKS = 1
// For this long a stream that does not work is not tried again.
const POLLING_MS = 600000
// Whoever looks later than this has slept. A hidden page's timers are late by a minute without that: browsers throttle them.
const LATE_MS = 8000
const LATE_HIDDEN_MS = 69000

/** The transports of a page. */
export interface Transports {
  readonly receive: Receive
  /** What long-polling asks by. */
  readonly ask: Request
  /** Which one is in use, or would be. */
  current(): Transport
}

/**
 * Receives over Server-Sent Events where they work, else by long-polling: if nothing comes of a stream in time, or it falls silent,
 * or polls are answered where a stream is refused, polls go on from the same place. After ten minutes, the stream is tried again.
 */
export function createTransports(options: ConnectOptions): Transports {
  const credentials = !!options.credentials
  const ask = requestWith(credentials)
  // From when on, as Date.now says, streams are used.
  let streamMs = options.transport !== 'poll' && window.EventSource ? 0 : Number.POSITIVE_INFINITY
  let isStream = !streamMs
  let refusals = 0

  const current = () => (isStream ? 'sse' : 'poll')

  const blame = () => {
    streamMs = Date.now() + POLLING_MS
  }

  return {
    receive(address, take) {
      let lookedMs = Date.now()
      isStream = lookedMs >= streamMs
      note('asks by', current())
      // Looks at which nothing had come. They are counted, not timed: what waits to be handled while this page does not run is
      // no silence.
      let looks = 0
      let most = FIRST_LOOKS
      const hand: Take = (answer, status) => {
        looks = 0
        // What is no answer of the push server may repeat the address, with the token.
        note('gets', answer.messages ? answer : status)
        if (isStream && status === 200) {
          // Polls are answered where a stream is not.
          if (refusals++) blame()
          return take({}, status)
        }
        if (answer.ready) {
          refusals = 0
          // Two heartbeats that did not come, and some time for one that is late.
          most = answer.ready.heartbeat / (LOOK_MS / 2000) + 1
        }
        take(answer, status)
      }
      const stop = (isStream ? receiveStream : receivePolls)(address, hand, ask, credentials)
      const timer = setInterval(() => {
        const nowMs = Date.now()
        // What jumped further than throttling explains is a sleep, which connections rarely survive.
        const hasSlept = nowMs - lookedMs > (document.hidden ? LATE_HIDDEN_MS : LATE_MS)
        lookedMs = nowMs
        const isSilent = isStream && ++looks > most
        if (isSilent && !hasSlept) blame()
        if (isSilent || hasSlept || (!isStream && nowMs > streamMs)) {
          note('reconnects for', hasSlept ? 'sleep' : isSilent ? 'silence' : 'streams')
          take({ messages: [], cursor: '', close: { reconnect: true } })
        }
      }, LOOK_MS)
      return () => {
        clearTimeout(timer)
        stop()
      }
    },
    ask,
    current,
  }
}
