import { errors, type JWTPayload } from 'jose'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Clock } from '../clock.js'
import { formProblem } from '../form-problem.js'
import { grantType } from '../grant-type.js'
import { UidSchema } from '../message.js'
import { channelPatternProblem } from './identity-form.js'
import { jwtHeader } from './jwt.js'
import { SecretKeys } from './secret-keys.js'

/** Why a grant does not count; said to the page in `ready.refused`. */
export const grantRefusals = {
  off: 'not accepted here',
  invalid: 'not valid',
  expired: 'expired',
  user: 'not for this user',
  many: 'too many channels',
} as const

/** A sentence of the table. */
export type GrantRefusal = (typeof grantRefusals)[keyof typeof grantRefusals]

/** A signed permission for channels of one page view. Signed by the CMS, but perhaps expired, or for somebody else. */
export interface GenuineGrant {
  readonly isGenuine: true
  /** Names, and prefix patterns, which allow but subscribe to nothing. */
  readonly channels: readonly string[]
  /** Only this user may use it; undefined: whoever has it. */
  readonly uid: string | undefined
  /** Unix time in ms from which it counts no longer. */
  readonly expiresMs: number
}

/** A grant as it was found: the CMS's own, or one that means nothing. */
export type Grant = GenuineGrant | { readonly isGenuine: false; readonly reason: GrantRefusal }

const ClaimsSchema = Type.Object({
  channels: Type.Array(Type.String()),
  exp: Type.Number(),
  uid: Type.Optional(UidSchema),
})

const claimsForm = Compile(ClaimsSchema)

const notAccepted: Grant = { isGenuine: false, reason: grantRefusals.off }
const notValid: Grant = { isGenuine: false, reason: grantRefusals.invalid }

/** Tells genuine grants of one site from others. */
export class GrantVerifier {
  readonly #clock: Clock
  readonly #secrets: SecretKeys
  readonly #audience: string
  readonly #toleranceMs: number
  readonly #maxChannelBytes: number
  readonly #onProblem: (problem: string) => void

  constructor(options: {
    clock: Clock
    /** None: no grant is accepted. */
    secrets: readonly string[]
    /** The name of the site, which `aud` must name: a grant of one site means nothing to another. */
    site: string
    /** How far before its `nbf` a grant counts, in ms. */
    toleranceMs: number
    maxChannelBytes: number
    /** Told what was wrong with a grant whose signature was good; holds no grant. */
    onProblem: (problem: string) => void
  }) {
    this.#clock = options.clock
    this.#secrets = new SecretKeys(options.secrets)
    this.#audience = options.site
    this.#toleranceMs = options.toleranceMs
    this.#maxChannelBytes = options.maxChannelBytes
    this.#onProblem = options.onProblem
  }

  /** Finds out what a grant is. Never rejects: a bad grant fails no request. */
  async verify(grant: string): Promise<Grant> {
    if (this.#secrets.size === 0) return notAccepted
    // jose takes other spellings of the type, too; one is enough.
    if (jwtHeader(grant)?.typ !== grantType) return notValid
    try {
      const claims = await this.#claims(grant)
      return claims === undefined ? notValid : this.#genuine(claims)
    } catch (error) {
      if (error instanceof errors.JWTClaimValidationFailed) this.#onProblem(error.message)
      return notValid
    }
  }

  async #claims(grant: string): Promise<JWTPayload | undefined> {
    try {
      return await this.#secrets.verify(grant, {
        algorithms: ['HS256'],
        audience: this.#audience,
        requiredClaims: ['exp'],
        clockTolerance: this.#toleranceMs / 1_000,
        currentDate: new Date(this.#clock.now()),
      })
    } catch (error) {
      // Everything else about it has been found good by then; that it is over is for whoever weighs it.
      if (error instanceof errors.JWTExpired) return error.payload
      throw error
    }
  }

  #genuine(claims: JWTPayload): Grant {
    const grant = grantFromClaims(claims, this.#maxChannelBytes)
    if (typeof grant !== 'string') return grant
    this.#onProblem(grant)
    return notValid
  }
}

/** The grant, or what is wrong with its claims. */
function grantFromClaims(claims: unknown, maxChannelBytes: number): GenuineGrant | string {
  if (!claimsForm.Check(claims)) return formProblem(claimsForm.Errors(claims), 'claims')
  const { channels, exp, uid } = claims
  for (const [index, channel] of channels.entries()) {
    const problem = channelPatternProblem(channel, maxChannelBytes)
    if (problem !== undefined) return `claims.channels[${index}]: ${problem}`
  }
  return {
    isGenuine: true,
    channels,
    uid: uid === undefined ? undefined : String(uid),
    expiresMs: exp * 1_000,
  }
}
