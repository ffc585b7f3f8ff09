import { member, parseJson, Unreachable } from '../remote/ask.js'
import { ailing, type Finding, good, serverFault, untested } from './finding.js'
import type { StreamWatch } from './stream-watch.js'
import type { Visitor } from './visitor.js'

/** Milliseconds after which something that should come at once comes late. */
const lateMs = 2_000

/** Seconds for which a message of ours may be replayed: no longer than it takes to look. */
export const ttl = 60

/** Looks at the head of the stream, and at how fast things come over it. The watch stays open. */
export async function checkStream(visitor: Visitor, watch: StreamWatch): Promise<readonly Finding[]> {
  const { timeoutMs, key } = visitor.patient
  await watch.until(() => watch.head !== undefined, timeoutMs)
  const { head } = watch
  if (head === undefined) {
    if (watch.endMs !== undefined) return [ailing('stream', 'the connection was cut before an answer', 'cut')]
    return [ailing('stream', `nothing came within ${timeoutMs / 1_000} s, not even the head`, 'buffered')]
  }
  visitor.remember(head)
  if (head.status !== 200) return [await refusal(visitor, watch, head.status)]
  const isReady = await watch.until(() => watch.first('ready') !== undefined, timeoutMs)
  const close = watch.first('close')
  if (close !== undefined) return [closed(close.data)]
  const delivery =
    isReady && key !== undefined ? await checkDelivery(visitor, watch) : firstEvent(watch, timeoutMs)
  return [...headerFindings(watch), delivery]
}

async function refusal(visitor: Visitor, watch: StreamWatch, status: number): Promise<Finding> {
  const { key, token } = visitor.patient
  // Its text comes after its head.
  await watch.until(() => watch.endMs !== undefined, visitor.patient.timeoutMs)
  const body = parseJson(watch.refusal ?? '')?.value
  const code = member(body, 'code')
  if (typeof code !== 'string') {
    return ailing('stream', `the answer is not Downpipe's (${status}), although a poll's was`, 'prefix')
  }
  const seen = `${String(member(body, 'message'))} (${status}, ${code})`
  if (key !== undefined && code === 'DOWNPIPE_TOKEN_REQUIRED') return ailing('stream', seen, 'authorization')
  if (key === undefined && token === undefined && status === 401) {
    return untested(
      'stream',
      'nobody may read here without --key, --token, or --channel of one that is open to all',
    )
  }
  return serverFault('stream', seen, 'it cannot be opened with what you gave, so no more can be said')
}

function closed(data: string): Finding {
  const reason = String(member(parseJson(data)?.value, 'reason'))
  const means = 'the server is overloaded, cannot reach the auth URL, or is going down; its log says more'
  return serverFault(
    'stream',
    `it was closed at once: ${reason}`,
    means,
    'see its log, --auth-url and --verify-timeout',
  )
}

function headerFindings({ head }: StreamWatch): readonly Finding[] {
  const type = head?.header('content-type') ?? 'none'
  const encoding = head?.header('content-encoding') ?? 'identity'
  const caching = head?.header('cache-control') ?? 'none'
  const keepsCaching = caching.includes('no-store') && caching.includes('no-transform')
  return [
    /^text\/event-stream\b/i.test(type)
      ? good('content-type', type)
      : ailing('content-type', `the Content-Type of the stream is ${type}`, 'contentType'),
    keepsCaching
      ? good('cache-control', caching)
      : ailing('cache-control', `Cache-Control of the stream is ${caching}`, 'cacheControl'),
    encoding === 'identity'
      ? good('compression', 'the stream comes as it was sent')
      : ailing('compression', `the stream was compressed on its way (${encoding})`, 'compressed'),
  ]
}

/** Without a key nothing can be published: what can be said is how soon the first event came. */
function firstEvent(watch: StreamWatch, timeoutMs: number): Finding {
  const ready = watch.first('ready')
  if (ready === undefined) {
    if (watch.endMs !== undefined)
      return ailing('delivery', 'the stream was cut before its first event', 'cut')
    return ailing('delivery', `the first event did not come within ${timeoutMs / 1_000} s`, 'buffered')
  }
  const seen = `the first event came after ${Math.round(ready.atMs)} ms`
  return ready.atMs > lateMs
    ? ailing('delivery', seen, 'buffered')
    : good('delivery', `${seen}; more can be said with --key`)
}

/** Publishes, and looks how long the message takes. */
async function checkDelivery(visitor: Visitor, watch: StreamWatch): Promise<Finding> {
  const { timeoutMs } = visitor.patient
  const beginMs = watch.nowMs
  const published = await publish(visitor, 1)
  if ('problem' in published) return published.problem
  const [id] = published.ids
  const seen = () => watch.events.find(event => event.id === id && event.type === 'message')
  await watch.until(() => seen() !== undefined, timeoutMs)
  const message = seen()
  if (message === undefined) {
    if (watch.endMs !== undefined)
      return ailing('delivery', 'the stream was cut before a message that was published came', 'cut')
    return ailing(
      'delivery',
      `a message did not come within ${timeoutMs / 1_000} s after it was published`,
      'buffered',
    )
  }
  const tookMs = Math.round(message.atMs - beginMs)
  const text = `a message came ${tookMs} ms after it was sent to be published`
  return tookMs > lateMs ? ailing('delivery', text, 'buffered') : good('delivery', text)
}

/** Publishes messages to the channel that is looked at. */
export async function publish(
  visitor: Visitor,
  count: number,
): Promise<{ readonly ids: readonly string[] } | { readonly problem: Finding }> {
  const { channel } = visitor
  const messages = Array.from({ length: count }, (_, index) => ({ channel, data: { doctor: index }, ttl }))
  try {
    const { answer, json } = await visitor.control('POST', '/publish', messages)
    const ids = member(json, 'ids')
    if (answer.status === 200 && Array.isArray(ids)) return { ids: ids.map(String) }
    const code = member(json, 'code')
    if (code === 'DOWNPIPE_NOT_FOUND') {
      return { problem: untested('delivery', 'publishing is not served here; say where by --control-url') }
    }
    const message =
      typeof code === 'string'
        ? `${String(member(json, 'message'))} (${answer.status}, ${code})`
        : answer.status
    const means = 'the CMS cannot publish from here with this key to this channel'
    return { problem: serverFault('delivery', `publishing was refused: ${message}`, means) }
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return {
      problem: serverFault(
        'delivery',
        `publishing failed: ${error.message}`,
        'the CMS cannot publish from here',
      ),
    }
  }
}
