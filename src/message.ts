import { hash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { atIndex, InvalidRequest, TooLarge } from './errors.js'
import { formProblem } from './form-problem.js'

/** What bounds a publish call; every limit stops a single caller from filling everybody's memory. */
export interface MessageLimits {
  /** Bytes of a message's `data` as JSON. */
  readonly maxDataBytes: number
  /** Messages in one publish call. */
  readonly maxMessages: number
  /** Bytes of a channel's name. */
  readonly maxChannelBytes: number
}

/** Channels that one message may name: a message is indexed once for each. */
const maxTargetChannels = 100
/** Users that one message may name. */
const maxTargetUids = 1_000
/** Characters of a uid, a callback's name, a type, a page id or an idempotency key. */
export const maxWordLength = 200
/** The longest `ttl`: a year, in seconds. */
const maxTtl = 31_536_000

const Word = Type.String({ minLength: 1, maxLength: maxWordLength })

/**
 * A user's id as the CMS writes it: text, or an integer. A larger integer than JSON's readers tell apart would be somebody
 * else's id.
 */
export const UidSchema = Type.Union([
  Word,
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
])

/** A message as the publisher writes it (design §4). Exactly one target: `channel(s)`, `uid(s)` or `broadcast`. */
export const MessageSchema = Type.Object(
  {
    channel: Type.Optional(Type.String()),
    channels: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: maxTargetChannels })),
    uid: Type.Optional(UidSchema),
    uids: Type.Optional(Type.Array(UidSchema, { minItems: 1, maxItems: maxTargetUids })),
    broadcast: Type.Optional(Type.Literal(true)),
    data: Type.Optional(Type.Unknown()),
    callback: Type.Optional(Type.Union([Word, Type.Array(Word, { minItems: 1, maxItems: 100 })])),
    type: Type.Optional(Word),
    except: Type.Optional(Word),
    ttl: Type.Optional(Type.Integer({ minimum: 0, maximum: maxTtl })),
    idempotencyKey: Type.Optional(Word),
  },
  { additionalProperties: false },
)

const messageForm = Compile(MessageSchema)

/** A message, checked and encoded: what is appended to the log. */
export interface Message {
  readonly kind: 'message'
  /** Whom it reaches: one routing key for each channel or user. Without repetition. */
  readonly keys: readonly string[]
  /** The JSON that subscribers get. */
  readonly json: string
  /** Milliseconds it may be replayed for; 0: delivered live only; undefined: as long as the log holds it. */
  readonly ttlMs?: number
  /** Makes a repeated append of the same message a no-op. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string }
}

/** Routing keys: what the window is indexed by, and what a subscriber listens on. */
export const routingKey = {
  /** Readers of one channel. */
  channel: (name: string): string => `c:${name}`,
  /** Every connection of one user. */
  uid: (uid: string): string => `u:${uid}`,
  /** Everybody. */
  broadcast: '*',
} as const

/** The channel whose routing key it is; undefined: it is none of a channel. */
export function channelOf(key: string): string | undefined {
  return key.startsWith('c:') ? key.slice(2) : undefined
}

/** The user whose routing key it is; undefined: it is none of a user. */
export function uidOf(key: string): string | undefined {
  return key.startsWith('u:') ? key.slice(2) : undefined
}

/**
 * Says what is wrong with a channel's name, or undefined.
 *
 * A name is 1 to `maxBytes` bytes, has no control characters and does not end in `*`, which marks a prefix pattern.
 */
export function channelNameProblem(name: string, maxBytes: number): string | undefined {
  if (name.length === 0) return 'a channel name must not be empty'
  if (Buffer.byteLength(name) > maxBytes) return `a channel name is at most ${maxBytes} bytes`
  if (/\p{Cc}/u.test(name)) return 'a channel name must not hold control characters'
  if (name.endsWith('*')) return 'a channel name must not end in *'
  return undefined
}

/** Whether `channel` is covered by `pattern`: the name itself, or a prefix followed by one trailing star. */
export function matchesPattern(pattern: string, channel: string): boolean {
  return pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : pattern === channel
}

/**
 * Reads the body of a publish call: one message or an array of them.
 *
 * @throws InvalidRequest that names the message and the field. @throws TooLarge when the batch or a message's data is.
 */
export function parseMessages(body: unknown, limits: MessageLimits): readonly Message[] {
  if (!Array.isArray(body)) return [parseMessage(body, 'body', limits)]
  if (body.length === 0) throw new InvalidRequest('body: an array must hold at least one message')
  if (body.length > limits.maxMessages) {
    throw new TooLarge(`body: ${body.length} messages; at most ${limits.maxMessages} in one call`)
  }
  return body.map((message: unknown, index) => {
    try {
      return parseMessage(message, `body[${index}]`, limits)
    } catch (error) {
      throw error instanceof Error ? atIndex(error, index) : error
    }
  })
}

function parseMessage(value: unknown, where: string, limits: MessageLimits): Message {
  if (!messageForm.Check(value)) throw new InvalidRequest(messageProblem(value, where))
  const keys = targetKeys(value, where, limits)
  const json = encode(value, where)
  if (value.data !== undefined && Buffer.byteLength(JSON.stringify(value.data)) > limits.maxDataBytes) {
    throw new TooLarge(`${where}.data: at most ${limits.maxDataBytes} bytes as JSON`)
  }
  const key = value.idempotencyKey
  return {
    kind: 'message',
    keys,
    json,
    ...(value.ttl !== undefined && { ttlMs: value.ttl * 1000 }),
    ...(key !== undefined && {
      idempotency: { key, fingerprint: fingerprint([...keys, json, String(value.ttl)]) },
    }),
  }
}

/** The first thing that is wrong with the form of `value`, as a sentence that says where. */
function messageProblem(value: unknown, where: string): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `${where}: a message is a JSON object`
  }
  const unknown = Object.keys(value).find(field => !Object.hasOwn(MessageSchema.properties, field))
  if (unknown !== undefined) return `${where}: unknown field ${JSON.stringify(unknown.slice(0, 100))}`
  return formProblem(messageForm.Errors(value), where)
}

function targetKeys(
  message: Static<typeof MessageSchema>,
  where: string,
  limits: MessageLimits,
): readonly string[] {
  const { channel, channels, uid, uids, broadcast } = message
  const others = [uid, uids, broadcast].filter(target => target !== undefined).length
  if (others > 1 || (channels !== undefined && (others > 0 || channel !== undefined))) {
    throw new InvalidRequest(
      `${where}: more than one target; give one of channel, channels, uid, uids, broadcast`,
    )
  }
  if (others === 0 && channel === undefined && channels === undefined) {
    throw new InvalidRequest(`${where}: no target; give one of channel, channels, uid, uids, broadcast`)
  }
  const names = channels ?? (channel === undefined ? [] : [channel])
  for (const [index, name] of names.entries()) {
    const problem = channelNameProblem(name, limits.maxChannelBytes)
    if (problem !== undefined) {
      throw new InvalidRequest(
        `${where}.${channels === undefined ? 'channel' : `channels[${index}]`}: ${problem}`,
      )
    }
  }
  if (broadcast === true) return [routingKey.broadcast]
  if (uid !== undefined) return [routingKey.uid(String(uid))]
  if (uids !== undefined) return [...new Set(uids.map(each => routingKey.uid(String(each))))]
  return [...new Set(names.map(routingKey.channel))]
}

function encode(message: Static<typeof MessageSchema>, where: string): string {
  const { channel, channels, data, callback, type, except } = message
  try {
    return JSON.stringify({
      channel,
      channels,
      data: data === undefined ? null : data,
      callback,
      type,
      except,
    })
  } catch (error) {
    // What has been parsed from JSON can be written as JSON, but for the depth of the stack.
    if (error instanceof RangeError) throw new InvalidRequest(`${where}.data: nested too deeply`)
    throw error
  }
}

function fingerprint(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
