import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { JsonPost, NoAnswer } from '../cms/json-post.js'
import { formProblem } from '../form-problem.js'
import { channelNameProblem, UidSchema } from '../message.js'
import type { Caller, Identity } from './identity.js'
import { type TokenVerifier, VerifierUnavailable } from './token-verifier.js'

/** What the CMS vouches for when it does not say how long, in seconds. */
const defaultExpiresIn = 3_600

const AnswerSchema = Type.Object({
  // Required, so that an answer that is about something else ({"error": …}) makes nobody an anonymous reader.
  uid: Type.Union([UidSchema, Type.Null()]),
  channels: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
  visibleTo: Type.Optional(Type.Array(UidSchema, { maxItems: 10_000 })),
  expiresIn: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  info: Type.Optional(Type.Unknown()),
})

const answerForm = Compile(AnswerSchema)

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
    if (!answerForm.Check(answer)) {
      throw new VerifierUnavailable(wrongShape(formProblem(answerForm.Errors(answer), 'answer')))
    }
    return this.#parse(answer)
  }

  #parse(answer: Static<typeof AnswerSchema>): Identity {
    const channels = answer.channels ?? []
    for (const [index, channel] of channels.entries()) {
      const name = channel.endsWith('*') ? channel.slice(0, -1) : channel
      const problem = channel === '*' ? undefined : channelNameProblem(name, this.#maxChannelBytes)
      if (problem !== undefined) {
        throw new VerifierUnavailable(wrongShape(`answer.channels[${index}]: ${problem}`))
      }
    }
    return {
      uid: answer.uid === null ? null : String(answer.uid),
      channels,
      visibleTo: (answer.visibleTo ?? []).map(String),
      info: answer.info,
      expiresIn: answer.expiresIn ?? defaultExpiresIn,
    }
  }
}

function wrongShape(problem: string): string {
  return `the auth URL answered JSON of a wrong shape: ${problem}`
}
