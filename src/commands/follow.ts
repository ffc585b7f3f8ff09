import { setTimeout as pause } from 'node:timers/promises'
import { EventStream, type StreamEvent } from '../client/node/event-stream.js'
import { type Answer, maxEventLength, member, parseJson, Unreachable } from '../remote/ask.js'
import { CommandError, exitCodes } from './exit-code.js'
import type { Service } from './service.js'

/** Milliseconds without a sign of life after which a stream that did not say how often one comes counts as dead. */
const silenceMs = 60_000

/** Bounds of the time, in ms, after which a stream that was cut is opened again; it grows while nobody answers. */
const retryMs = { least: 500, most: 30_000 }

/** What is followed. */
export interface Followed {
  readonly service: Service
  readonly path: string
  readonly signal: AbortSignal
  /** Told, in a sentence, when the stream was lost, and when it is back. */
  readonly onTrouble: (sentence: string) => void
}

/**
 * The events of a stream that is opened again, from where it was, whenever it ends, until the signal says that it is enough.
 *
 * @throws Unreachable, CommandError when it cannot be opened the first time, or is refused at any time.
 */
export async function* follow(followed: Followed): AsyncGenerator<StreamEvent> {
  const { service, path, signal, onTrouble } = followed
  let cursor: string | undefined
  let isLost = false
  let wasOpen = false
  let delayMs = retryMs.least
  while (!signal.aborted) {
    const ending = new AbortController()
    const stop = () => ending.abort()
    signal.addEventListener('abort', stop)
    try {
      const headers = cursor === undefined ? {} : { 'last-event-id': cursor }
      const answer = await service.open(path, headers, ending.signal)
      if (isLost) onTrouble('the stream is back')
      wasOpen = true
      isLost = false
      const takeDelay = (askedMs: number) => {
        delayMs = askedMs
      }
      for await (const event of read(answer, takeDelay)) {
        cursor = event.id ?? cursor
        yield event
        if (event.type === 'close') delayMs = afterClose(event)
      }
    } catch (error) {
      if (signal.aborted) return
      if (!mayComeBack(error, wasOpen)) throw error
      delayMs = Math.min(retryMs.most, Math.max(retryMs.least, delayMs) * 2)
    } finally {
      ending.abort()
      signal.removeEventListener('abort', stop)
    }
    if (signal.aborted) return
    if (!isLost) onTrouble('the stream ended; it is opened again')
    isLost = true
    await pause(delayMs, undefined, { signal }).catch(() => {})
  }
}

/** Whoever got through once waits for the server, or what is in front of it, to be mended. */
function mayComeBack(error: unknown, wasOpen: boolean): boolean {
  if (!wasOpen) return false
  return (
    error instanceof Unreachable || (error instanceof CommandError && error.exitCode === exitCodes.failed)
  )
}

/** Milliseconds after which the server wants us back. @throws CommandError when it does not. */
function afterClose({ data }: StreamEvent): number {
  const close = parseJson(data)?.value
  const delayMs = member(close, 'retryMs')
  if (member(close, 'reconnect') !== true || typeof delayMs !== 'number') {
    throw new CommandError(
      exitCodes.refused,
      `the server closed the stream: ${String(member(close, 'reason'))}`,
    )
  }
  return delayMs
}

/** The events of one answer, until it ends, is cut off, or gives no sign of life. */
async function* read({ message }: Answer, onRetry: (ms: number) => void): AsyncGenerator<StreamEvent> {
  const events: StreamEvent[] = []
  const stream = new EventStream(event => events.push(event), maxEventLength)
  const kill = () => message.destroy()
  let silence = setTimeout(kill, silenceMs)
  try {
    for await (const chunk of message) {
      silence.refresh()
      stream.push(chunk)
      for (const event of events.splice(0)) {
        const seconds = event.type === 'ready' ? member(parseJson(event.data)?.value, 'heartbeat') : undefined
        if (typeof seconds === 'number') {
          clearTimeout(silence)
          silence = setTimeout(kill, Math.max(silenceMs, seconds * 2_500))
        }
        yield event
      }
      if (stream.retryMs !== undefined) onRetry(stream.retryMs)
    }
  } catch {
    // Cut off is an end like any other.
  } finally {
    clearTimeout(silence)
  }
}
