import { type Static, type TObject, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { formProblem } from '../form-problem.js'
import { channelNameProblem, UidSchema } from '../message.js'
import type { Identity } from './identity.js'

/** What the CMS vouches for when it does not say how long, in seconds. */
const defaultExpiresIn = 3_600

/** Channels, and users who are told, in one identity: an answer of a megabyte must not become a subscriber's burden. */
const maxItems = 10_000

/** Levels of objects and arrays in `info`. Stops JSON that can be read but not written, since writing takes the stack. */
const maxInfoDepth = 100

const rights = {
  channels: Type.Optional(Type.Array(Type.String(), { maxItems })),
  visibleTo: Type.Optional(Type.Array(UidSchema, { maxItems })),
  info: Type.Optional(Type.Unknown()),
}

const AnswerSchema = Type.Object({
  // Required, so that an answer that is about something else ({"error": …}) makes nobody an anonymous reader.
  uid: Type.Union([UidSchema, Type.Null()]),
  ...rights,
  expiresIn: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
})

const ClaimsSchema = Type.Object({
  sub: UidSchema,
  ...rights,
  exp: Type.Number(),
  iat: Type.Optional(Type.Number()),
})

/** Shared by all whom nobody may see, which are most. */
const nobody: readonly string[] = []

const answerForm = Compile(AnswerSchema)
const claimsForm = Compile(ClaimsSchema)

/** The JSON does not make an identity. The message says where it is wrong, and repeats nothing of it. */
export class NotAnIdentity extends Error {}

/**
 * Reads what the CMS answers about a token.
 *
 * @throws NotAnIdentity that calls the whole `answer`.
 */
export function identityFromAnswer(answer: unknown, maxChannelBytes: number): Identity {
  if (!answerForm.Check(answer)) throw new NotAnIdentity(formProblem(answerForm.Errors(answer), 'answer'))
  const uid = answer.uid === null ? null : String(answer.uid)
  const expiresIn = answer.expiresIn ?? defaultExpiresIn
  return readIdentity(uid, answer, expiresIn, 'answer', maxChannelBytes)
}

/**
 * Reads the claims of a JWT: `sub` is the user, `exp` (Unix time in seconds) the end, `iat` when it was
 * made; the rest is as in an answer.
 *
 * @throws NotAnIdentity that calls the whole `claims`.
 */
export function identityFromClaims(
  claims: unknown,
  maxChannelBytes: number,
  nowMs: number,
): { readonly identity: Identity; readonly exp: number; readonly iat: number | undefined } {
  if (!claimsForm.Check(claims)) throw new NotAnIdentity(formProblem(claimsForm.Errors(claims), 'claims'))
  const { exp, iat } = claims
  const uid = String(claims.sub)
  const identity = readIdentity(uid, claims, exp - nowMs / 1_000, 'claims', maxChannelBytes)
  return { identity, exp, iat }
}

/**
 * Says what is wrong with a name that may also be a prefix pattern (`public_*`, or `*` alone), or undefined.
 */
export function channelPatternProblem(pattern: string, maxChannelBytes: number): string | undefined {
  if (pattern === '*') return undefined
  return channelNameProblem(pattern.endsWith('*') ? pattern.slice(0, -1) : pattern, maxChannelBytes)
}

function readIdentity(
  uid: string | null,
  { channels = [], visibleTo = [], info }: Static<TObject<typeof rights>>,
  expiresIn: number,
  where: string,
  maxChannelBytes: number,
): Identity {
  for (const [index, channel] of channels.entries()) {
    const problem = channelPatternProblem(channel, maxChannelBytes)
    if (problem !== undefined) throw new NotAnIdentity(`${where}.channels[${index}]: ${problem}`)
  }
  if (isDeeper(info, maxInfoDepth))
    throw new NotAnIdentity(`${where}.info: nested deeper than ${maxInfoDepth} levels`)
  // One literal and no spread: a spread would cost each identity a second object for its properties, 40 bytes.
  const whom = visibleTo.length === 0 ? nobody : visibleTo.map(String)
  return { uid, channels, visibleTo: whom, info, expiresIn }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(part => isDeeper(part, levels - 1))
}
