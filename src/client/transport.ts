import type { Host } from './host.js'
import type { Transport } from './options.js'
import { pollBy } from './poll.js'
import type { Receive } from './receiver.js'
import { request } from './request.js'
import { receiveStream } from './stream.js'
import { type Watch, watch } from './watch.js'

// More than the server waits for the CMS (5 s): a slow CMS must not push everybody to polling.
const READY_MS = 8000
// Two heartbeats that did not come, and some time for one that is late.
const MISSED_HEARTBEATS_MS = 2200
// For this long a stream that does not work is not tried again.
const POLLING_MS = 600000

/** The transports of a page, and which of them is in use. */
export interface Transports {
  readonly receive: Receive
  current(): Transport
}

/**
 * Receives over Server-Sent Events where they work, else by long-polling: if nothing comes of a stream in time, or it falls silent,
 * or the server can be asked but a stream cannot be had, polls go on from the same place. After ten minutes, the stream is tried
 * again.
 */
export function createTransports(wanted: Transport | undefined, note: Host['note']): Transports {
  const never = Number.POSITIVE_INFINITY
  // When, as Date.now says, the stream may be used.
  let streamMs = wanted !== 'poll' && window.EventSource ? 0 : never
  let isStream = streamMs < never
  // How often, in a row, a poll could be had in place of a stream.
  let refusals = 0

  const receive: Receive = (receiver, credentials) => {
    let cancel: () => void
    let watching: Watch
    const stop = () => {
      watching.stop()
      cancel()
    }
    const blame = () => {
      note('The stream does not work here: polls for ten minutes')
      streamMs = Date.now() + POLLING_MS
    }
    const start = () => {
      let hasCome = false
      isStream = Date.now() >= streamMs
      const listen = (limitMs: number) => {
        watching = watch(limitMs, isSure => {
          stop()
          note(isSure ? 'Nothing comes' : 'The machine slept')
          if (isSure && isStream) blame()
          start()
        })
      }
      listen(isStream ? READY_MS : 60000)
      cancel = (isStream ? receiveStream : pollBy(request))(
        {
          address: receiver.address,
          take(batch) {
            hasCome = true
            watching.sign()
            if (batch.ready) {
              refusals = 0
              watching.stop()
              listen(batch.ready.heartbeat * MISSED_HEARTBEATS_MS)
            }
            if (!receiver.take(batch)) return false
            if (isStream || Date.now() < streamMs) return true
            stop()
            start()
            return false
          },
          fail(status, refusal) {
            watching.stop()
            if (isStream && status === 200 && refusals++) blame()
            // It was not the stream's fault.
            if (!isStream && !hasCome && streamMs < never) streamMs = 0
            receiver.fail(status, refusal)
          },
        },
        credentials,
      )
    }
    start()
    return () => stop()
  }
  return { receive, current: () => (isStream ? 'sse' : 'poll') }
}
