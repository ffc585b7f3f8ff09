import { type Agent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Target } from './target.js'

/** A request. */
export interface Ask {
  readonly method?: string
  /** Below the target's prefix, with its query. Never shown: a query may hold a token. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Milliseconds within which the head of the answer must be there. */
  readonly timeoutMs: number
  /** Gives up the request, and whatever is still to be read of its answer. */
  readonly signal?: AbortSignal
  /** A connection to share; without it each request has one of its own. */
  readonly agent?: Agent
}

/** The head of an answer; its body is still to be read. */
export interface Answer {
  readonly status: number
  readonly message: IncomingMessage
  /** The first value of a header. */
  header(name: string): string | undefined
  /** Milliseconds from the request to the head. */
  readonly headMs: number
  /** Whether the request went over a connection that had served another one. */
  readonly isReused: boolean
}

/** Nobody answers there, or not in time. The message says why, and holds no address or query. */
export class Unreachable extends Error {}

/** The longest body that is read whole, in bytes: an endless answer must not fill the memory. */
const maxTextBytes = 64 * 1024 * 1024

/** The longest event of a stream that is read, in characters, for the same reason. */
export const maxEventLength = 80 * 1024 * 1024

/** Asks, and resolves with the head of the answer. @throws Unreachable */
export function ask(target: Target, call: Ask): Promise<Answer> {
  const beginMs = performance.now()
  const send = target.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const outgoing = send(requestOptions(target, call))
    const late = setTimeout(() => {
      outgoing.destroy(new Unreachable(`no answer within ${call.timeoutMs / 1_000} s`))
    }, call.timeoutMs)
    outgoing.once('response', message => {
      clearTimeout(late)
      // Whoever reads the body learns of its end there.
      message.on('error', ignore)
      resolve({
        status: message.statusCode ?? 0,
        message,
        header: name => first(message.headers[name]),
        headMs: performance.now() - beginMs,
        isReused: outgoing.reusedSocket,
      })
    })
    outgoing.on('error', error => {
      clearTimeout(late)
      reject(error instanceof Unreachable ? error : new Unreachable(reasonOf(error)))
    })
    outgoing.end(call.body)
  })
}

function requestOptions(target: Target, call: Ask): RequestOptions {
  const { hostname, port, socketPath, prefix } = target
  return {
    ...(socketPath === undefined ? { hostname, port } : { socketPath }),
    method: call.method ?? 'GET',
    path: prefix + call.path,
    headers: {
      ...(call.body !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(call.body)),
      }),
      ...call.headers,
    },
    agent: call.agent ?? false,
    ...(call.signal !== undefined && { signal: call.signal }),
  }
}

/** The whole body as text. @throws Unreachable when it does not end in time, is cut off, or is endless. */
export function readText({ message }: Answer, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(late)
      message.destroy()
      reject(new Unreachable(why))
    }
    const late = setTimeout(() => fail(`the answer did not end within ${timeoutMs / 1_000} s`), timeoutMs)
    const chunks: Buffer[] = []
    let bytes = 0
    message.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxTextBytes) fail('the answer is endless')
    })
    message.once('end', () => {
      clearTimeout(late)
      resolve(Buffer.concat(chunks).toString('utf8'))
    })
    message.once('close', () => fail('the answer was cut off'))
  })
}

/** The value, if the text is JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** A member of what may be an object. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined
}

const reasons = new Map([
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was cut'],
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'the host cannot be looked up now'],
  ['ENOENT', 'there is no such socket'],
  ['ABORT_ERR', 'given up'],
])

function reasonOf(error: Error & { readonly code?: string }): string {
  return reasons.get(error.code ?? '') ?? error.code ?? error.name
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}

function ignore(): void {}
