import { checkClock } from './clocks.js'
import { checkCors } from './cors.js'
import type { Finding } from './finding.js'
import { checkHeartbeat, checkPoll } from './patience.js'
import { checkProtocol } from './protocol.js'
import { checkReach } from './reach.js'
import { checkResume } from './resume.js'
import { checkStream } from './stream.js'
import { checkVerifier } from './verifier.js'
import type { Visitor } from './visitor.js'

/** Looks at everything, and tells each finding as soon as there is one. */
export async function* examine(visitor: Visitor): AsyncGenerator<Finding> {
  const { findings, reply } = await checkReach(visitor)
  yield* findings
  if (reply === undefined) return
  const { target, timeoutMs } = visitor.patient
  const protocol = await checkProtocol(target, timeoutMs)
  if (protocol !== undefined) yield protocol
  yield checkClock(reply, Date.now())
  yield* await checkVerifier(visitor)
  yield* await checkCors(visitor)
  const watch = visitor.watch()
  try {
    yield* await checkStream(visitor, watch)
    if (watch.head?.status !== 200) return
    yield await checkResume(visitor)
    // Both only wait.
    yield* await Promise.all([checkHeartbeat(visitor, watch), checkPoll(visitor)])
  } finally {
    watch.close()
  }
}
