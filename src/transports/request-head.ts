import { type IncomingHttpHeaders, maxHeaderSize } from 'node:http'

/** The head of a request, as far as it matters to a stream. */
export interface RequestHead {
  /** The address, from the path on, as it was sent. */
  readonly url: string
  /** By their names in lower case: those of `readHeaders` that came. */
  readonly headers: IncomingHttpHeaders
}

/** What a stream reads of a head. One that comes twice is for Node to judge: it drops some, and joins others. */
const readHeaders = new Set([
  'authorization',
  'cookie',
  'host',
  'last-event-id',
  'origin',
  'sec-fetch-site',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-host',
])

/** What changes how a request is read, or what is behind it. */
const oddHeaders = new Set(['content-length', 'expect', 'transfer-encoding', 'upgrade'])

/** A whole head and nothing behind it: no folded line, no bare CR or LF, no blank before a colon. */
const plainHead = /^GET (\/[!"$-~]*) HTTP\/1\.([01])\r\n(?:[!#$%&'*+.^`|~\w-]+:[\t -~\x80-\xff]*\r\n)*\r\n$/

/** Lines, of which the last is not at its end. */
const unfinishedHead = /^(?:[^\r\n]+\r\n)*[^\r\n]*\r?$/

/** A path that has come in full, of a site's name at its longest. */
const pathBegin = /^GET (\/[^ ?]{0,100})[ ?]/

const isAscii = /^[\t -~]*$/

const space = 0x20
const tab = 0x09

/** The path of the GET that the bytes begin with; undefined: they do not, it is not whole yet, or it is longer than any of ours. */
export function pathIn(bytes: Buffer): string | undefined {
  return pathBegin.exec(bytes.toString('latin1', 0, 128))?.[1]
}

/**
 * Reads bytes that are the head of one plain GET, and nothing else. It takes a part only of what HTTP allows, and reads that as Node's
 * parser would; `unfinished`: so far they may be one; undefined: they are something else, and Node's parser must judge them.
 *
 * Each text is a copy, since a part of a string keeps the whole of it: a stream remembers its token and would keep its head.
 */
export function readHead(bytes: Buffer): RequestHead | 'unfinished' | undefined {
  // Node counts addresses and headers only, and so takes a little more.
  if (bytes.length > maxHeaderSize) return undefined
  const text = bytes.toString('latin1')
  const [, { length = 0 } = '', minor] = plainHead.exec(text) ?? []
  if (minor === undefined) return unfinishedHead.test(text) ? 'unfinished' : undefined
  const headers: IncomingHttpHeaders = {}
  const end = text.length - 2
  for (let at = text.indexOf('\r\n') + 2; at < end; ) {
    const colonAt = text.indexOf(':', at)
    const endAt = text.indexOf('\r\n', colonAt)
    const name = text.slice(at, colonAt).toLowerCase()
    at = endAt + 2
    if (oddHeaders.has(name)) return undefined
    if (!readHeaders.has(name)) continue
    const value = trimmed(bytes, colonAt + 1, endAt)
    if (headers[name] !== undefined || !isAscii.test(value)) return undefined
    headers[name] = value
  }
  if (minor === '1' && headers.host === undefined) return undefined
  return { url: bytes.toString('latin1', 4, 4 + length), headers }
}

/** A header's value, without the blanks around it. */
function trimmed(bytes: Buffer, from: number, to: number): string {
  let [start, end] = [from, to]
  while (start < end && isBlank(bytes[start])) start += 1
  while (start < end && isBlank(bytes[end - 1])) end -= 1
  return bytes.toString('latin1', start, end)
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === tab
}
