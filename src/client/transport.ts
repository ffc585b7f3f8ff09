import type { Ready } from './frames.js'
import { note } from './note.js'
import type { Transport } from './options.js'
import { pollBy } from './poll.js'
import type { Receive } from './receiver.js'
import { request } from './request.js'
import { receiveStream } from './stream.js'

// How often to look, in ms.
const LOOK_MS = 4000
// Two looks. More than the server waits for the CMS (5 s): a slow CMS must not push everybody to polling.
const READY_MS = 7900
// Two heartbeats that did not come, and some time for one that is late.
const MISSED_HEARTBEATS_MS = 2200
// More than the longest poll takes.
const POLL_MS = 60000
// For this long a stream that does not work is not tried again.
const POLLING_MS = 600000
// A hidden page's timers are late by a minute without anybody having slept: browsers throttle them.
const THROTTLED_MS = 65000

/** The transports of a page. */
export interface Transports {
  readonly receive: Receive
  /** Which one is in use, or would be. */
  current(): Transport
  /** Something came. */
  sign(ready?: Ready): void
  /**
   * Begins to look whether anything comes.
   *
   * @param reopen is called where nothing does, or where another transport is to be used
   * @returns the timer
   */
  watch(reopen: () => void): ReturnType<typeof setInterval>
}

/**
 * Receives over Server-Sent Events where they work, else by long-polling: if nothing comes of a stream in time, or it falls silent,
 * or polls are answered where a stream is refused, polls go on from the same place. After ten minutes, the stream is tried again.
 */
export function createTransports(wanted: Transport | undefined): Transports {
  // From when on, as Date.now says, streams are used.
  let streamMs = wanted !== 'poll' && window.EventSource ? 0 : Number.POSITIVE_INFINITY
  let isStream = !streamMs
  let limitMs = 0
  let heardMs: number
  // Whether our own timer ran on time since something was heard.
  let isSure: boolean
  let refusals = 0

  const sign = (ready?: Ready) => {
    heardMs = Date.now()
    isSure = true
    if (ready) {
      refusals = 0
      limitMs = ready.heartbeat * MISSED_HEARTBEATS_MS
    }
  }
  const blame = () => {
    note('Streams do not work here: polls for ten minutes')
    streamMs = Date.now() + POLLING_MS
  }

  return {
    receive({ address, take, fail }, credentials) {
      sign()
      isStream = heardMs >= streamMs
      limitMs = isStream ? READY_MS : POLL_MS
      return (isStream ? receiveStream : pollBy(request))(
        {
          address,
          take,
          fail(status, refusal) {
            if (isStream && status === 200 && refusals++) blame()
            fail(status, refusal)
          },
        },
        credentials,
      )
    },
    current: () => (isStream ? 'sse' : 'poll'),
    sign,
    watch(reopen) {
      let lookedMs = Date.now()
      return setInterval(() => {
        const nowMs = Date.now()
        // Somebody may have set the clock back.
        const lateMs = Math.abs(nowMs - lookedMs - LOOK_MS)
        lookedMs = nowMs
        // A late timer was throttled, or the machine slept, and what came meanwhile may still wait to be handled: that is no
        // reason to judge. What jumped further than throttling explains is a sleep, which connections rarely survive.
        if (lateMs > LOOK_MS) {
          sign()
          isSure = false
          note('This timer was late by ms: ', lateMs)
          if (lateMs > (document.hidden ? THROTTLED_MS : LOOK_MS)) reopen()
        } else if (nowMs - heardMs > limitMs || (!isStream && nowMs > streamMs)) {
          if (isStream && isSure) blame()
          reopen()
        }
      }, LOOK_MS)
    },
  }
}
