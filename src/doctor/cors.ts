import { member, Unreachable } from '../remote/ask.js'
import { ailing, type Finding, good, serverFault, untested } from './finding.js'
import type { Visitor } from './visitor.js'

/** The code with which Downpipe refuses pages of an origin. */
const originForbidden = 'DOWNPIPE_ORIGIN_FORBIDDEN'

/** What of an answer the browser looks at before it lets a page see it. */
type HeaderOf = (name: string) => string | undefined

/** Looks whether pages of the origin may read what is answered: a preflight, a poll and a stream. */
export async function checkCors(visitor: Visitor): Promise<readonly Finding[]> {
  const { origin } = visitor.patient
  if (origin === undefined) return [untested('cors', 'give --origin, the origin of your pages')]
  const { target } = visitor.patient
  const isOwn = target.text === origin || target.text.startsWith(`${origin}/`)
  // A page of the service's own origin needs no permission; its browser says so.
  if (isOwn) return [await poll(visitor, origin, { 'sec-fetch-site': 'same-origin' })]
  return [await preflight(visitor, origin), await poll(visitor, origin, {}), await stream(visitor, origin)]
}

async function preflight(visitor: Visitor, origin: string): Promise<Finding> {
  const check = 'cors preflight'
  return await withAnswer(check, async () => {
    const { answer, json } = await visitor.request('OPTIONS', `${visitor.patient.base}/poll`, {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    })
    // Downpipe's own word: nothing in front of it is to be changed, and the poll tells what is.
    if (member(json, 'code') === originForbidden) return untested(check, 'it was refused, as a poll is')
    if (answer.status >= 300) return ailing(check, `OPTIONS is answered with ${answer.status}`, 'cors')
    const allowed = answer.header('access-control-allow-headers')?.toLowerCase() ?? ''
    if (!allowed.includes('authorization') && allowed !== '*') {
      return ailing(check, 'the Authorization header is not allowed', 'cors')
    }
    return judge(check, origin, answer.header)
  })
}

async function poll(
  visitor: Visitor,
  origin: string,
  headers: Readonly<Record<string, string>>,
): Promise<Finding> {
  const check = 'cors poll'
  return await withAnswer(check, async () => {
    const { answer, json } = await visitor.poll({ wait: '0' }, { origin, ...headers })
    if (member(json, 'code') === originForbidden) {
      const means = 'no page of this origin can connect'
      return serverFault(check, `pages of ${origin} are refused`, means, `--allow-origin ${origin}`)
    }
    if ('sec-fetch-site' in headers) return good(check, 'pages of the same origin need no permission')
    return judge(check, origin, answer.header)
  })
}

async function stream(visitor: Visitor, origin: string): Promise<Finding> {
  const check = 'cors stream'
  const { timeoutMs } = visitor.patient
  const watch = visitor.watch({ origin })
  await watch.until(() => watch.head !== undefined, timeoutMs)
  watch.close()
  const { head } = watch
  if (head === undefined) return untested(check, `no head came within ${timeoutMs / 1_000} s`)
  if (head.status === 403) return untested(check, 'it was refused, as the poll was')
  return judge(check, origin, head.header)
}

/** Fetch standard, CORS check: one origin and no other, and `true` where cookies are to be sent. */
function judge(check: string, origin: string, header: HeaderOf): Finding {
  const allowed = header('access-control-allow-origin')
  if (allowed === undefined) return ailing(check, 'there is no Access-Control-Allow-Origin', 'cors')
  if (allowed.includes(',')) {
    return ailing(check, `Access-Control-Allow-Origin is there more than once (${allowed})`, 'cors')
  }
  if (allowed === '*') return good(check, 'every origin is allowed, without cookies')
  if (allowed !== origin) return ailing(check, `Access-Control-Allow-Origin is ${allowed}`, 'cors')
  const credentials = header('access-control-allow-credentials')
  if (credentials !== 'true')
    return ailing(check, 'cookies are not allowed (Access-Control-Allow-Credentials)', 'cors')
  return good(check, `${origin} is allowed, with cookies`)
}

async function withAnswer(check: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return untested(check, error.message)
  }
}
