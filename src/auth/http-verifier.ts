import { JsonPost, NoAnswer } from '../cms/json-post.js'
import type { Caller, Identity } from './identity.js'
import { identityFromAnswer, NotAnIdentity } from './identity-form.js'
import { type TokenVerifier, VerifierUnavailable } from './token-verifier.js'

/**
 * Asks the CMS: `POST <auth url>` with the service key as bearer and `{"token","ip","userAgent"}`.
 *
 * 200 with the documented JSON is an identity, 401 and 403 are a refusal; anything else (a redirect, an HTML page, a wrong
 * shape, an answer that is too long or too late) is `VerifierUnavailable` with a message that says what was wrong.
 */
export class HttpVerifier implements TokenVerifier {
  readonly #post: JsonPost
  readonly #maxChannelBytes: number

  constructor(options: { url: string; serviceKey: string; timeoutMs: number; maxChannelBytes: number }) {
    this.#post = new JsonPost({ ...options, name: 'auth URL' })
    this.#maxChannelBytes = options.maxChannelBytes
  }

  async verify(token: string, { ip, userAgent }: Caller): Promise<Identity | undefined> {
    const answer = await this.#post.send({ token, ip, userAgent }).catch((error: unknown) => {
      throw error instanceof NoAnswer ? new VerifierUnavailable(error.message) : error
    })
    if (answer.status === 401 || answer.status === 403) return undefined
    if (answer.status !== 200) {
      throw new VerifierUnavailable(this.#post.statusProblem(answer.status, '200, 401 or 403'))
    }
    return this.#identity(answer.text, answer.contentType)
  }

  #identity(text: string, contentType: string | undefined): Identity {
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      throw new VerifierUnavailable(
        `the auth URL answered 200 with something that is not JSON (Content-Type: ${contentType ?? 'none'})`,
      )
    }
    try {
      return identityFromAnswer(answer, this.#maxChannelBytes)
    } catch (error) {
      if (!(error instanceof NotAnIdentity)) throw error
      throw new VerifierUnavailable(`the auth URL answered JSON of a wrong shape: ${error.message}`)
    }
  }
}
