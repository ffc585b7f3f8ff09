import { member, parseJson, Unreachable } from '../remote/ask.js'
import { ailing, type Finding, good, serverFault, untested } from './finding.js'
import type { StreamWatch } from './stream-watch.js'
import type { Visitor } from './visitor.js'

/** Seconds between two signs of life where the stream did not say it. */
const usualHeartbeat = 25

/** Milliseconds by which a sign of life may be late. */
const graceMs = 5_000

/** The longest that a poll waits, in seconds, whatever is asked for. */
const longestPoll = 25

/** Reads the quiet stream until a sign of life, or as long as was asked for. */
export async function checkHeartbeat(visitor: Visitor, watch: StreamWatch): Promise<Finding> {
  const { waitMs } = visitor.patient
  const ready = watch.first('ready')
  if (ready === undefined) return untested('heartbeat', 'there is no stream to look at')
  const told = member(parseJson(ready.data)?.value, 'heartbeat')
  const heartbeat = typeof told === 'number' ? told : usualHeartbeat
  const isAlive = () => watch.first('heartbeat') !== undefined
  // Asked to read longer, it does: what ends connections after minutes is seen only so.
  await watch.until(() => waitMs === undefined && isAlive(), waitMs ?? heartbeat * 1_000 + graceMs)
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`
  const close = watch.first('close')
  if (close !== undefined) {
    const reason = String(member(parseJson(close.data)?.value, 'reason'))
    return untested('heartbeat', `the server closed the stream after ${seconds(close.atMs)}: ${reason}`)
  }
  if (watch.endMs !== undefined) {
    const quiet = seconds(watch.endMs - watch.lastMs)
    const seen = `the stream was cut after ${seconds(watch.endMs)}, ${quiet} after something had come`
    return ailing('heartbeat', `${seen}; a sign of life is due each ${heartbeat} s`, 'cut')
  }
  const alive = watch.first('heartbeat')
  if (alive !== undefined)
    return good('heartbeat', `seen after ${seconds(alive.atMs)}; one is due each ${heartbeat} s`)
  if (waitMs !== undefined && waitMs < heartbeat * 1_000 + graceMs) {
    return untested('heartbeat', `none is due before ${heartbeat} s; give a longer --wait`)
  }
  return ailing('heartbeat', `none came within ${heartbeat} s, although the stream stays open`, 'buffered')
}

/** Lets a poll wait as long as it may. */
export async function checkPoll(visitor: Visitor): Promise<Finding> {
  const { waitMs, timeoutMs } = visitor.patient
  const wait = Math.min(longestPoll, (waitMs ?? longestPoll * 1_000) / 1_000)
  try {
    // From now on: what is held would be answered at once.
    const { json: start } = await visitor.poll({ wait: '0' })
    const since = member(start, 'cursor')
    if (typeof since !== 'string') return untested('poll', 'polls are refused')
    const { answer, json } = await visitor.waitingPoll(
      { since, wait: String(wait) },
      wait * 1_000 + timeoutMs,
    )
    if (typeof member(json, 'cursor') === 'string') {
      return good(
        'poll',
        `a poll that may wait ${wait} s was answered after ${Math.round(answer.headMs / 100) / 10} s`,
      )
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
