import type { Test } from 'tap'
import { HttpVerifier } from '../../src/auth/http-verifier.js'
import { VerifierUnavailable } from '../../src/auth/token-verifier.js'
import { type Answer, type Cms, startCms } from './cms.js'
import { caller } from './verifier.js'

/** What the questions are about. */
export const token = 'a-token-that-nobody-may-see'
/** What the CMS is shown. */
export const serviceKey = 'a-service-key-that-nobody-may-see'

/** A CMS and a verifier that asks it. */
export async function begin(t: Test, timeoutMs = 10_000): Promise<{ cms: Cms; verifier: HttpVerifier }> {
  const cms = await startCms()
  t.teardown(() => cms.close())
  return { cms, verifier: new HttpVerifier({ url: cms.url, serviceKey, timeoutMs, maxChannelBytes: 20 }) }
}

/** Checks that the question has no answer, with the sentence that the operator reads; it holds no secret. */
export async function isUnavailable(
  t: Test,
  verifier: HttpVerifier,
  problem: string | RegExp,
): Promise<void> {
  try {
    await verifier.verify(token, caller)
    t.fail('it has an answer')
  } catch (error) {
    t.type(error, VerifierUnavailable)
    const text = String(error instanceof Error ? error.message : error)
    if (typeof problem === 'string') t.equal(text, problem)
    else t.match(text, problem)
    t.notMatch(text, /nobody-may-see/)
  }
}

/** An answer of 200 with this JSON. */
export function json(value: unknown): Answer {
  return (_token, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(value))
  }
}
