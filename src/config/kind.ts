/** The JSON types in which a configuration file may hold a value. */
export type JsonType = 'string' | 'number' | 'boolean' | 'object'

/** How a value may be written in JSON. Stateless. */
export interface JsonForm<T> {
  /** What it looks like, so that "must be …" can be said of it. */
  readonly what: string
  /** The value, or undefined if it is not allowed. Never throws. */
  readonly parse: (value: unknown) => T | undefined
}

/** One way of writing a value: how it is named, described and read. Stateless. */
export interface Kind<T> {
  /** Stands for the value in the help text, such as `DURATION`. */
  readonly placeholder: string
  /** What a value looks like, so that "must be …" can be said of it. */
  readonly what: string
  /** The range, and what 0 means; empty where `what` says everything. */
  readonly limits: string
  /** What it may be in a JSON file. A number or boolean is read like the same word on the command line. */
  readonly json: readonly JsonType[]
  /** The value, or undefined if the (trimmed) text is not allowed. Never throws. */
  readonly parse: (text: string) => T | undefined
  /** How an item of a list in a JSON file is read, where it may say more than a word elsewhere. */
  readonly jsonItem?: JsonForm<T>
}

/** `true` or `false`. The option's name alone, on the command line, is `true`. */
export const flag: Kind<boolean> = {
  placeholder: 'true|false',
  what: 'true or false',
  limits: '',
  json: ['boolean', 'string'],
  parse: text => (text === 'true' ? true : text === 'false' ? false : undefined),
}

/** One word of a list. */
export function oneOf<const T extends readonly string[]>(placeholder: string, words: T): Kind<T[number]> {
  return {
    placeholder,
    what: `one of ${words.join(', ')}`,
    limits: '',
    json: ['string'],
    parse: text => words.find(word => word === text),
  }
}

/** A kind whose value is the text itself, where the pattern holds. */
export function matching(placeholder: string, what: string, pattern: RegExp): Kind<string> {
  return {
    placeholder,
    what,
    limits: '',
    json: ['string'],
    parse: text => (pattern.test(text) ? text : undefined),
  }
}

/** A file's path, absolute or relative to the working directory. That the file exists is not checked here. */
export const filePath = matching('FILE', 'a path', /^[^\0]+$/)

/** A cookie's name: a token of RFC 9110, as RFC 6265 asks. */
export const cookieName = matching('NAME', "a cookie's name", /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/)

/** A secret that signs tokens or grants: RFC 7518 asks for a key as long as the hash of HS256, 32 bytes. No comma, which separates items. */
export const signingSecret = matching(
  'SECRET',
  '32 to 512 printable ASCII characters without spaces or commas',
  /^[\x21-\x2b\x2d-\x7e]{32,512}$/,
)

/** Whom a JWT is meant for: what its `aud` must name. */
export const audience = matching(
  'AUDIENCE',
  'a name of 1 to 512 printable ASCII characters without spaces',
  /^[\x21-\x7e]{1,512}$/,
)

/**
 * An exact channel name, or a prefix with one trailing star. How long a name may be is another option's
 * matter.
 */
export const channelPattern = matching(
  'CHANNELS',
  'a channel name without control characters, or a prefix and one trailing star (public_*), or * for all',
  /^(?:[^\p{Cc}*]+\*?|\*)$/u,
)
