import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { channelNameProblem } from '../message.js'
import type { Caller, Identity } from './identity.js'
import { type TokenVerifier, VerifierUnavailable } from './token-verifier.js'

/** Bytes of an answer that are read at the most: an auth URL that answers with a film must not fill the memory. */
const maxAnswerBytes = 1_048_576

/** What the CMS vouches for when it does not say how long, in seconds. */
const defaultExpiresIn = 3_600

const Uid = Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Integer()])

const AnswerSchema = Type.Object({
  uid: Type.Optional(Type.Union([Uid, Type.Null()])),
  channels: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
  visibleTo: Type.Optional(Type.Array(Uid, { maxItems: 10_000 })),
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
  readonly #url: string
  readonly #serviceKey: string
  readonly #timeoutMs: number
  readonly #maxChannelBytes: number

  constructor(options: { url: string; serviceKey: string; timeoutMs: number; maxChannelBytes: number }) {
    this.#url = options.url
    this.#serviceKey = options.serviceKey
    this.#timeoutMs = options.timeoutMs
    this.#maxChannelBytes = options.maxChannelBytes
  }

  async verify(token: string, caller: Caller): Promise<Identity | undefined> {
    // One deadline for the headers and the body: an answer that trickles is cut as well.
    const signal = AbortSignal.timeout(this.#timeoutMs)
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${this.#serviceKey}`,
          'content-type': 'application/json',
          accept: 'application/json',
        },
        body: JSON.stringify({ token, ip: caller.ip, userAgent: caller.userAgent }),
        signal,
      })
      if (response.status !== 200) await response.body?.cancel()
      if (response.status === 401 || response.status === 403) return undefined
      if (response.status !== 200) throw new VerifierUnavailable(statusProblem(response))
      return this.#identity(await readLimited(response), response.headers.get('content-type'))
    } catch (error) {
      if (error instanceof VerifierUnavailable) throw error
      if (signal.aborted)
        throw new VerifierUnavailable(`the auth URL gave no answer within ${this.#timeoutMs} ms`)
      throw new VerifierUnavailable(`the auth URL could not be reached: ${causeOf(error)}`)
    }
  }

  #identity(text: string, contentType: string | null): Identity {
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      throw new VerifierUnavailable(
        `the auth URL answered 200 with something that is not JSON (Content-Type: ${contentType ?? 'none'})`,
      )
    }
    if (!answerForm.Check(answer)) {
      const error = answerForm.Errors(answer)[0]
      throw new VerifierUnavailable(
        `the auth URL answered JSON of a wrong shape: ${error?.instancePath || 'the answer'} ${error?.message ?? ''}`,
      )
    }
    return this.#parse(answer)
  }

  #parse(answer: Static<typeof AnswerSchema>): Identity {
    const channels = answer.channels ?? []
    for (const [index, channel] of channels.entries()) {
      const name = channel.endsWith('*') ? channel.slice(0, -1) : channel
      const problem = channel === '*' ? undefined : channelNameProblem(name, this.#maxChannelBytes)
      if (problem !== undefined) {
        throw new VerifierUnavailable(
          `the auth URL answered JSON of a wrong shape: /channels/${index}: ${problem}`,
        )
      }
    }
    return {
      uid: answer.uid === undefined || answer.uid === null ? null : String(answer.uid),
      channels,
      visibleTo: (answer.visibleTo ?? []).map(String),
      info: answer.info,
      expiresIn: answer.expiresIn ?? defaultExpiresIn,
    }
  }
}

function statusProblem(response: Response): string {
  const isRedirect = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)
  if (isRedirect) return `the auth URL answered with a redirect (${response.status}); it must answer itself`
  return `the auth URL answered ${response.status}; 200, 401 or 403 was expected`
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) {
      throw new VerifierUnavailable(`the auth URL answered more than ${maxAnswerBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** undici hides the reason (`ECONNREFUSED`) in the cause of "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.message
}
