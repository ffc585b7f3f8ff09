import { member, parseJson } from '../remote/ask.js'
import { ailing, type Finding, good, serverFault, untested } from './finding.js'
import { publish } from './stream.js'
import type { StreamWatch } from './stream-watch.js'
import type { Visitor } from './visitor.js'

/** An id that no server ever gave: one that gets it answers with a gap that says so. */
const strangeId = '0-0-0'

/** Looks whether the id with which a browser comes back reaches the server. */
export async function checkResume(visitor: Visitor): Promise<Finding> {
  return visitor.patient.key === undefined ? await byGap(visitor) : await byReplay(visitor)
}

/** With a key: of two messages, the second must come to whoever has had the first. */
async function byReplay(visitor: Visitor): Promise<Finding> {
  const { timeoutMs } = visitor.patient
  const published = await publish(visitor, 2)
  if ('problem' in published) return untested('resume', 'nothing could be published')
  const [had = '', missed] = published.ids
  const watch = visitor.watch({ 'last-event-id': had })
  const isReplayed = () => watch.events.some(({ type, id }) => type === 'message' && id === missed)
  const isElsewhere = () => startOf(watch) !== undefined && startOf(watch) !== had
  await watch.until(() => isReplayed() || isElsewhere() || watch.first('gap') !== undefined, timeoutMs)
  watch.close()
  const gap = watch.first('gap')
  if (gap !== undefined) {
    const reason = String(member(parseJson(gap.data)?.value, 'reason'))
    const means =
      'the server does not know its own id of a moment ago: several servers behind one address, that share no log?'
    return serverFault('resume', `a gap (${reason}) in place of a message that was just missed`, means)
  }
  if (isReplayed()) return good('resume', 'Last-Event-ID arrives: a message that was missed came')
  return startOf(watch) === undefined
    ? untested('resume', `the stream said nothing within ${timeoutMs / 1_000} s`)
    : ailing('resume', 'Last-Event-ID does not arrive: a message that was missed did not come', 'resume')
}

/** Without: the server must complain of an id that it never gave. */
async function byGap(visitor: Visitor): Promise<Finding> {
  const { timeoutMs } = visitor.patient
  const watch = visitor.watch({ 'last-event-id': strangeId })
  const isReady = await watch.until(() => watch.first('ready') !== undefined, timeoutMs)
  // It comes with the ready, or never.
  const isGap = await watch.until(
    () => watch.first('gap') !== undefined,
    isReady ? Math.min(timeoutMs, 1_000) : 0,
  )
  watch.close()
  if (isGap) return good('resume', 'Last-Event-ID arrives')
  return isReady
    ? ailing('resume', 'Last-Event-ID does not arrive', 'resume')
    : untested('resume', 'there is no stream to look at')
}

/** The place from which the stream said that it goes on. */
function startOf(watch: StreamWatch): string | undefined {
  return watch.first('ready')?.id
}
