import { CachedVerifier, type VerifierLimits } from '../../src/auth/cached-verifier.js'
import type { Caller, Identity } from '../../src/auth/identity.js'
import { type TokenVerifier, VerifierUnavailable } from '../../src/auth/token-verifier.js'
import { FakeClock } from './clock.js'

/** Who asks, where a test does not care. */
export const caller: Caller = { ip: '192.0.2.1', userAgent: 'a browser' }

/** An identity of user 5, for an hour, unless said otherwise. */
export function identity(extra: Partial<Identity> = {}): Identity {
  return { uid: '5', channels: ['news'], visibleTo: [], info: undefined, expiresIn: 3_600, ...extra }
}

/** Lets everything run that does not wait for something. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** A verifier whose answers a test gives, the oldest question first. */
export class ScriptedVerifier implements TokenVerifier {
  /** The tokens that it was asked about, in order. */
  asked: string[] = []
  readonly #open: {
    resolve: (identity: Identity | undefined) => void
    reject: (error: Error) => void
  }[] = []

  verify(token: string): Promise<Identity | undefined> {
    this.asked.push(token)
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  /** Questions without an answer yet. */
  get open(): number {
    return this.#open.length
  }

  async yes(answer: Partial<Identity> = {}): Promise<void> {
    this.#next().resolve(identity(answer))
    await settled()
  }

  async no(): Promise<void> {
    this.#next().resolve(undefined)
    await settled()
  }

  async fail(error: Error = new VerifierUnavailable('the CMS is away')): Promise<void> {
    this.#next().reject(error)
    await settled()
  }

  #next() {
    const question = this.#open.shift()
    if (question === undefined) throw new Error('nobody was asked')
    return question
  }
}

/** A cached verifier in front of a scripted one, with time that stands still. */
export function createCached(overrides: Partial<VerifierLimits> = {}) {
  const clock = new FakeClock()
  const cms = new ScriptedVerifier()
  const failures: string[] = []
  const verifier = new CachedVerifier({
    clock,
    verifier: cms,
    onFailure: problem => failures.push(problem),
    limits: {
      ttlMs: 300_000,
      refusalTtlMs: 10_000,
      staleIfErrorMs: 86_400_000,
      identities: 100,
      atOnce: 16,
      queueLength: 100,
      queueMs: 5_000,
      rate: 0,
      burst: 1,
      ...overrides,
    },
  })
  /** What becomes of a verification: `uid 5`, `refused`, or the error. */
  const outcome = async (
    token: string,
    options: { mustAsk?: boolean; ip?: string } = {},
  ): Promise<string> => {
    try {
      const from = { ...caller, ...(options.ip !== undefined && { ip: options.ip }) }
      const verified = await verifier.verify(
        token,
        from,
        options.mustAsk === true ? Number.POSITIVE_INFINITY : undefined,
      )
      return verified === undefined ? 'refused' : `uid ${verified.identity.uid}`
    } catch (error) {
      return error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error)
    }
  }
  /** Asks, has the CMS say yes, and forgets that it was asked. */
  const admit = async (token: string, answer: Partial<Identity> = {}): Promise<void> => {
    const verification = outcome(token)
    await cms.yes(answer)
    await verification
    cms.asked = []
  }
  return { clock, cms, verifier, failures, outcome, admit }
}
