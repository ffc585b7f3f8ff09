import type { FastifyRequest } from 'fastify'
import type { Caller, Identity } from '../auth/identity.js'
import { identityFromAnswer, NotAnIdentity } from '../auth/identity-form.js'
import { type TokenVerifier, VerifierUnavailable } from '../auth/token-verifier.js'
import type { Clock } from '../clock.js'
import { describeFailure, within } from './deadline.js'
import { jsonCopy } from './json-copy.js'

/** What a function answers about a token: as the auth URL would. */
export interface IdentityAnswer {
  /** The user; null: an anonymous reader. */
  readonly uid: string | number | null
  /** Channels it may read, and prefix patterns (`public_*`), which allow but subscribe to nothing. */
  readonly channels?: readonly string[]
  /** Users who may see that this one is online. */
  readonly visibleTo?: readonly (string | number)[]
  /** Seconds for which the answer holds. Default: 3600. */
  readonly expiresIn?: number
  /** Any JSON for the page. */
  readonly info?: unknown
}

/**
 * Tells who a token belongs to: an answer, or null for no.
 *
 * It is called once for a token, and later to confirm the answer; `request` is that of the connection for which it is asked, which
 * may be answered by then. The answer is used for everybody who comes with the token, so it must follow from the token alone.
 */
export type Verify = (
  token: string,
  request: FastifyRequest,
) => IdentityAnswer | null | Promise<IdentityAnswer | null>

/** Asks a function of the embedding program in place of an auth URL. */
export class FunctionVerifier implements TokenVerifier {
  readonly #verify: Verify
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #maxChannelBytes: number
  /** A session keeps its caller, and so the request, for as long as its identity may have to be confirmed. */
  readonly #requests = new WeakMap<Caller, FastifyRequest>()

  constructor(options: { verify: Verify; clock: Clock; timeoutMs: number; maxChannelBytes: number }) {
    this.#verify = options.verify
    this.#clock = options.clock
    this.#timeoutMs = options.timeoutMs
    this.#maxChannelBytes = options.maxChannelBytes
  }

  /** Who makes the request. */
  callerOf(request: FastifyRequest): Caller {
    const caller = { ip: request.ip, userAgent: request.headers['user-agent'] }
    this.#requests.set(caller, request)
    return caller
  }

  async verify(token: string, caller: Caller): Promise<Identity | undefined> {
    const request = this.#requests.get(caller)
    if (request === undefined) throw new VerifierUnavailable('verify: the caller made no request')
    let answer: unknown
    try {
      answer = await within(this.#clock, this.#timeoutMs, () => this.#verify(token, request))
    } catch (error) {
      throw new VerifierUnavailable(`verify ${describeFailure(error)}`)
    }
    if (answer === null) return undefined
    try {
      return identityFromAnswer(copyOf(answer), this.#maxChannelBytes)
    } catch (error) {
      if (!(error instanceof NotAnIdentity)) throw error
      throw new VerifierUnavailable(`verify gave no identity, and null is for no: ${error.message}`)
    }
  }
}

/** The answer as it is now: the program may go on with its own. @throws NotAnIdentity where it is no JSON. */
function copyOf(answer: unknown): unknown {
  try {
    return jsonCopy(answer)
  } catch {
    throw new NotAnIdentity('the answer is no JSON')
  }
}
