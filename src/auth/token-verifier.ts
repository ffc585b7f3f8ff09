import type { Caller, Identity } from './identity.js'

/**
 * Finds out who a token belongs to and what it may read.
 *
 * Resolves to the identity, or to undefined when the token is refused for sure. Rejects with `VerifierUnavailable` when nobody
 * could say: that is never a refusal.
 */
export interface TokenVerifier {
  verify(token: string, caller: Caller): Promise<Identity | undefined>
}

/** The question could not be answered now; transient. `message` says what was wrong and holds no token. */
export class VerifierUnavailable extends Error {}
