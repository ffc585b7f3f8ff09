import { member, parseJson, Unreachable } from '../remote/ask.js'
import { ailing, type Finding, good, serverFault, untested } from './finding.js'
import type { StreamWatch } from './stream-watch.js'
import type { Visitor } from './visitor.js'

/** Seconds between two signs of life where the stream did not say it. */
const usualHeartbeat = 25

/** Milliseconds by which a sign of life may be late. */
const graceMs = 5_000

/** The part of the time between two signs of life that counts as all of it: clocks and networks are not exact. */
const mostOfIt = 0.9

/** The longest that a poll waits, in seconds, whatever is asked for. */
const longestPoll = 25

/**
 * Reads the quiet stream until it has been silent as long as it ever is, or as long as was asked for. The first sign of life is no
 * proof: it may come soon after the beginning.
 */
export async function checkHeartbeat(visitor: Visitor, watch: StreamWatch): Promise<Finding> {
  const { waitMs } = visitor.patient
  const ready = watch.first('ready')
  if (ready === undefined) return untested('heartbeat', 'there is no stream to look at')
  const told = member(parseJson(ready.data)?.value, 'heartbeat')
  const heartbeat = typeof told === 'number' ? told : usualHeartbeat
  const due = `one is due after ${heartbeat} s without a message`
  const isProven = () => longestSilenceMs(watch) >= heartbeat * 1_000 * mostOfIt
  // Asked to read longer, it does: what ends connections after minutes is seen only so.
  await watch.until(() => waitMs === undefined && isProven(), waitMs ?? 2 * heartbeat * 1_000 + graceMs)
  const close = watch.first('close')
  if (close !== undefined) {
    const reason = String(member(parseJson(close.data)?.value, 'reason'))
    return untested('heartbeat', `the server closed the stream after ${seconds(close.atMs)}: ${reason}`)
  }
  if (watch.endMs !== undefined) {
    const quiet = seconds(watch.endMs - watch.lastMs)
    const seen = `the stream was cut after ${seconds(watch.endMs)}, ${quiet} after something had come`
    return ailing('heartbeat', `${seen}; a sign of life: ${due}`, 'cut')
  }
  if (isProven())
    return good(
      'heartbeat',
      `the stream lived through ${seconds(longestSilenceMs(watch))} of silence; ${due}`,
    )
  if (waitMs !== undefined && waitMs < 2 * heartbeat * 1_000 + graceMs) {
    return untested('heartbeat', `${due}; give a --wait of twice that, or none`)
  }
  const quietMs = watch.nowMs - watch.lastMs
  if (quietMs < heartbeat * 1_000 * mostOfIt) {
    return untested('heartbeat', `messages came all the time, so that the stream was never silent; ${due}`)
  }
  return ailing('heartbeat', `${due}, but none came in time, although the stream stays open`, 'buffered')
}

/** The longest time, in ms, between two events that came. */
function longestSilenceMs({ events }: StreamWatch): number {
  return Math.max(0, ...events.map(({ atMs }, index) => atMs - (events[index - 1]?.atMs ?? atMs)))
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}

/** Lets a poll wait as long as it may. */
export async function checkPoll(visitor: Visitor): Promise<Finding> {
  const { waitMs, timeoutMs } = visitor.patient
  const wait = Math.min(longestPoll, (waitMs ?? longestPoll * 1_000) / 1_000)
  try {
    // From now on, and with what the server has to say first: either would be answered at once.
    const { json: start } = await visitor.poll({ wait: '0' })
    const since = member(start, 'cursor')
    const v = member(member(start, 'ready'), 'v')
    if (typeof since !== 'string' || typeof v !== 'string') return untested('poll', 'polls are refused')
    const { answer, json } = await visitor.waitingPoll(
      { since, v, wait: String(wait) },
      wait * 1_000 + timeoutMs,
    )
    if (typeof member(json, 'cursor') === 'string') {
      return good('poll', `a poll that may wait ${wait} s was answered after ${seconds(answer.headMs)}`)
    }
    const code = member(json, 'code')
    if (typeof code !== 'string') {
      return ailing('poll', `a poll that waits is answered with ${answer.status}, not by Downpipe`, 'pollCut')
    }
    return serverFault(
      'poll',
      `${String(member(json, 'message'))} (${answer.status}, ${code})`,
      'polls are refused',
    )
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return ailing('poll', `a poll that waits: ${error.message}`, 'pollCut')
  }
}
