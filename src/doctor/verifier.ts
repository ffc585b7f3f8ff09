import { member, Unreachable } from '../remote/ask.js'
import { type Finding, good, serverFault, untested } from './finding.js'
import type { Visitor } from './visitor.js'

/** Milliseconds from which on the CMS is slow in saying whose a token is: every first page view waits for it. */
const slowMs = 1_000

/** What is to be made faster, or mended. */
const authUrl = 'what --auth-url leads to'

const toAuthUrl = `${authUrl}; the server’s log says what was wrong with the answer`

/** Looks how a visitor's token fares, and, with a key, how the CMS answers about tokens. */
export async function checkVerifier(visitor: Visitor): Promise<readonly Finding[]> {
  try {
    return [await checkToken(visitor), await checkFigures(visitor)]
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    const means = 'the server waits for the CMS longer than that, or hangs'
    return [serverFault('token', error.message, means, toAuthUrl)]
  }
}

async function checkToken(visitor: Visitor): Promise<Finding> {
  const { token } = visitor.patient
  if (token === undefined) return untested('token', "give --token, a visitor's token")
  const { answer, json } = await visitor.pollAs(token)
  const tookMs = Math.round(answer.headMs)
  const code = member(json, 'code')
  if (typeof code !== 'string') {
    if (answer.status !== 200) {
      return serverFault(
        'token',
        `answered with ${answer.status}, not by Downpipe`,
        'no visitor with a token can connect',
      )
    }
    const seen = `accepted after ${tookMs} ms`
    if (tookMs <= slowMs) return good('token', seen)
    return serverFault('token', seen, 'every first page view waits so long for its stream', authUrl)
  }
  const seen = `${String(member(json, 'message'))} (${answer.status}, ${code}), after ${tookMs} ms`
  if (code === 'DOWNPIPE_BUSY') {
    return serverFault('token', seen, 'the CMS does not answer, answers wrongly, or too slowly', toAuthUrl)
  }
  if (code === 'DOWNPIPE_TOKEN_REFUSED') {
    const means = 'the CMS says no to it, it was logged out, or the server has no --auth-url'
    return serverFault('token', seen, means, toAuthUrl)
  }
  return serverFault('token', seen, 'this visitor cannot connect')
}

/** What the server counted, of all visitors, since it began. */
async function checkFigures(visitor: Visitor): Promise<Finding> {
  const { key } = visitor.patient
  if (key === undefined) return untested('auth url', 'give --key')
  const { answer, json } = await visitor.control('GET', '/stats')
  if (answer.status !== 200) return untested('auth url', `no figures are to be had (${answer.status})`)
  const verifier = member(json, 'verifier')
  if (typeof verifier !== 'object' || verifier === null) {
    return untested('auth url', 'the server asks nobody about tokens')
  }
  const [calls, failures, overflows] = ['calls', 'failures', 'overflows'].map(name =>
    Number(member(verifier, name) ?? 0),
  )
  const seen = `of ${calls} calls since the server began, ${failures} had no good answer; ${overflows} found no place to wait`
  if (failures === 0 && overflows === 0) return good('auth url', seen)
  return serverFault('auth url', seen, 'visitors are told to come back later, or keep old rights', toAuthUrl)
}
