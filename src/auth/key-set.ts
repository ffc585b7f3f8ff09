import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../clock.js'
import { isRecord } from '../record.js'
import { VerifierUnavailable } from './token-verifier.js'

/** How old, in ms, keys may be before they are fetched anew beside their use: a key that was taken back is used no longer. */
const freshMs = 600_000

/** Milliseconds after a fetch in which an unknown key causes no other: made-up key ids must not become a flood at the JWKS URL. */
const cooldownMs = 10_000

/** Milliseconds after a failed fetch in which it is not tried again: everybody who comes would wait for the time-out. */
const failurePauseMs = 2_000

/** Bytes of an answer that are read at the most: a URL that answers with a film must not fill the memory. */
const maxAnswerBytes = 1_048_576

/** The public keys behind a JWKS URL. They are fetched when they are first needed, and kept. */
export class KeySet {
  readonly #clock: Clock
  readonly #url: URL
  readonly #staleIfErrorMs: number
  readonly #onFailure: (problem: string) => void
  readonly #remote: ReturnType<typeof createRemoteJWKSet>
  #fetchedMs = Number.NEGATIVE_INFINITY
  #failedMs = Number.NEGATIVE_INFINITY

  constructor(options: {
    clock: Clock
    url: string
    /** Milliseconds for one fetch. */
    timeoutMs: number
    /** Milliseconds beyond their time for which keys are used while the URL does not answer. */
    staleIfErrorMs: number
    /** Told what was wrong with each fetch that failed. */
    onFailure: (problem: string) => void
  }) {
    this.#clock = options.clock
    this.#url = new URL(options.url)
    this.#staleIfErrorMs = options.staleIfErrorMs
    this.#onFailure = options.onFailure
    this.#remote = createRemoteJWKSet(this.#url, {
      timeoutDuration: options.timeoutMs,
      cooldownDuration: cooldownMs,
      // How long keys are good is decided here: jose would have none at all while the URL is away.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: (url, init) => this.#fetch(url, init),
    })
  }

  /**
   * Finds the key for a JWT's header.
   *
   * @throws VerifierUnavailable when the keys cannot be fetched; jose's errors when there is no such key.
   */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    const ageMs = this.#clock.monotonic() - this.#fetchedMs
    if (ageMs > freshMs) {
      const reloading = this.#remote.reload()
      if (ageMs > freshMs + this.#staleIfErrorMs) await reloading
      // What went wrong has been told to `onFailure`.
      else reloading.catch(() => {})
    }
    return await this.#remote(header, token)
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.#clock.monotonic() - this.#failedMs < failurePauseMs) {
      throw new VerifierUnavailable('the JWKS URL did not answer a moment ago')
    }
    try {
      const keys = await readKeys(await fetch(url, init))
      this.#fetchedMs = this.#clock.monotonic()
      return Response.json(keys)
    } catch (error) {
      const failure = wordFailure(error)
      this.#failedMs = this.#clock.monotonic()
      this.#onFailure(failure.message)
      throw failure
    }
  }
}

async function readKeys(response: Response): Promise<unknown> {
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new VerifierUnavailable(`the JWKS URL answered ${response.status}; 200 was expected`)
  }
  let keys: unknown
  try {
    keys = JSON.parse(await readText(response))
  } catch (error) {
    if (error instanceof SyntaxError) throw new VerifierUnavailable('the JWKS URL answered no JSON')
    throw error
  }
  if (!isKeySet(keys))
    throw new VerifierUnavailable('the JWKS URL answered no JSON Web Key Set ({"keys":[…]})')
  return keys
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxAnswerBytes) {
      throw new VerifierUnavailable(`the JWKS URL answered more than ${maxAnswerBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isKeySet(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value.keys) && value.keys.every(isRecord)
}

function wordFailure(error: unknown): VerifierUnavailable {
  if (error instanceof VerifierUnavailable) return error
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new VerifierUnavailable('the JWKS URL gave no answer in time')
  }
  const { cause } = error instanceof Error ? error : { cause: undefined }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection'
  return new VerifierUnavailable(`the JWKS URL could not be reached: ${code}`)
}
