import { member, Unreachable } from '../remote/ask.js'
import { ailing, type Finding, good, serverFault, untested } from './finding.js'
import type { Reply, Visitor } from './visitor.js'

/** Whether Downpipe answers, and over what. */
export interface Reach {
  readonly findings: readonly Finding[]
  /** A poll's answer by Downpipe itself; undefined: there is nothing more to look at. */
  readonly reply: Reply | undefined
}

/** Looks whether somebody answers, and whether it is Downpipe. */
export async function checkReach(visitor: Visitor): Promise<Reach> {
  let reply: Reply
  try {
    reply = await visitor.stranger()
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    const means = 'nobody can be served; does it run, and is the address right?'
    return { findings: [serverFault('reach', error.message, means)], reply: undefined }
  }
  const problem = (await missingSite(visitor, reply)) ?? strangerIn(reply)
  if (problem !== undefined) return { findings: [problem], reply: undefined }
  const { answer } = reply
  const seen = `Downpipe answers over HTTP/${answer.message.httpVersion} in ${Math.round(answer.headMs)} ms`
  return { findings: [good('reach', seen), await keepAlive(visitor)], reply }
}

/** Tells an address that Downpipe does not know, but where it is, from one that does not lead to it. */
async function missingSite(visitor: Visitor, { json }: Reply): Promise<Finding | undefined> {
  if (member(json, 'code') !== 'DOWNPIPE_NOT_FOUND' || !(await visitor.isServerThere())) return undefined
  return serverFault(
    'reach',
    'Downpipe is there, but nobody can listen at this address (404)',
    'there is no such site, or none without a name; or this is where only the CMS connects (--control-listen)',
    'the site is named by --site, and is one of sites in the configuration file',
  )
}

/** What is wrong when it is not Downpipe that answered, or not about this address. */
function strangerIn({ answer, json }: Reply): Finding | undefined {
  const code = member(json, 'code')
  if (code === 'DOWNPIPE_NOT_FOUND') {
    return ailing('reach', 'Downpipe answers, but knows no such address (404)', 'prefix')
  }
  if (typeof code === 'string' && code.startsWith('DOWNPIPE_')) return undefined
  if (typeof member(json, 'cursor') === 'string') return undefined
  const type = answer.header('content-type') ?? 'no Content-Type'
  const seen = `it is not Downpipe that answers: ${answer.status}, ${type}`
  if (answer.status >= 300 && answer.status < 400) {
    const where = redirection(answer.header('location'))
    return serverFault(
      'reach',
      `a redirect (${answer.status}) to ${where}`,
      'pages must use that address, and so must you',
    )
  }
  return ailing('reach', seen, [502, 503, 504].includes(answer.status) ? 'upstream' : 'prefix')
}

/** Without the path: whatever else stands there may hold a token. */
function redirection(location: string | undefined): string {
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : 'another path'
}

/** Whether a second request goes over the same connection. */
async function keepAlive(visitor: Visitor): Promise<Finding> {
  try {
    const { answer } = await visitor.stranger()
    return answer.isReused
      ? good('keep-alive', 'the connection is kept for the next request')
      : ailing('keep-alive', 'the connection is closed after each answer', 'noKeepAlive', 'note')
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return untested('keep-alive', `the second request failed: ${error.message}`)
  }
}
