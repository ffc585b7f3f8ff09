import { note } from './note.js'
import type { Transport } from './options.js'
import { pollBy } from './poll.js'
import type { Receive } from './receiver.js'
import { request } from './request.js'
import { receiveStream } from './stream.js'

// How often to look whether anything comes, in ms.
const LOOK_MS = 4000
// Looks at which the first frame may still be missing. With one more, that is longer than the server waits for the CMS (5 s): a slow
// CMS must not push everybody to polling.
const FIRST_LOOKS = 1
// For this long a stream that does not work is not tried again.
const POLLING_MS = 600000
// A hidden page's timers are late by a minute without anybody having slept: browsers throttle them.
const THROTTLED_MS = 65000

/** The transports of a page. */
export interface Transports {
  readonly receive: Receive
  /** Which one is in use, or would be. */
  current(): Transport
}

/**
 * Receives over Server-Sent Events where they work, else by long-polling: if nothing comes of a stream in time, or it falls silent,
 * or polls are answered where a stream is refused, polls go on from the same place. After ten minutes, the stream is tried again.
 */
export function createTransports(wanted: Transport | undefined): Transports {
  // From when on, as Date.now says, streams are used.
  let streamMs = wanted !== 'poll' && window.EventSource ? 0 : Number.POSITIVE_INFINITY
  let isStream = !streamMs
  let refusals = 0

  const current = () => (isStream ? 'sse' : 'poll')

  const blame = () => {
    note('Streams do not work. Asks by poll for ms', POLLING_MS)
    streamMs = Date.now() + POLLING_MS
  }

  return {
    receive({ address, take, fail }, credentials) {
      let lookedMs = Date.now()
      isStream = lookedMs >= streamMs
      note('Asks by', current())
      // Looks at which nothing had come. They are counted, not timed: what waits to be handled while this page does not run is
      // no silence.
      let looks = 0
      let most = FIRST_LOOKS
      const stop = (isStream ? receiveStream : pollBy(request))(
        {
          address,
          take(batch) {
            looks = 0
            if (batch.close) note('The server closes, because', batch.close.reason)
            if (batch.ready) {
              note('Listens to', batch.ready.channels)
              refusals = 0
              // Two heartbeats that did not come, and some time for one that is late.
              most = (batch.ready.heartbeat * 2000) / LOOK_MS + 1
            }
            take(batch)
          },
          fail(status, refusal) {
            note('Is refused. Status', status)
            if (isStream && status === 200 && refusals++) blame()
            fail(status, refusal)
          },
        },
        credentials,
      )
      const timer = setInterval(() => {
        const nowMs = Date.now()
        // Somebody may have set the clock back. What jumped further than throttling explains is a sleep, which connections rarely
        // survive.
        const hasSlept = Math.abs(nowMs - lookedMs) > LOOK_MS + (document.hidden ? THROTTLED_MS : LOOK_MS)
        lookedMs = nowMs
        const isSilent = isStream && ++looks > most
        if (isSilent && !hasSlept) blame()
        if (isSilent || hasSlept || (!isStream && nowMs > streamMs)) {
          const close = { reason: 'silent', reconnect: true, retryMs: 1 }
          take({ messages: [], cursor: '', close })
        }
      }, LOOK_MS)
      return () => {
        clearInterval(timer)
        stop()
      }
    },
    current,
  }
}
