import type { PublishCommand } from '../load/protocol.js'
import { STAMP_PLACEHOLDER } from '../load/stamp.js'
import type { Message, Server, Target } from '../peers/peer.js'

/** What is to be published. */
export interface Publication {
  /** One publisher, with a connection of its own, for each. */
  readonly targets: readonly Target[]
  /** How many messages each publisher sends. */
  readonly messages: number
  /** Bytes of text in each message's data, beside its stamp. */
  readonly textBytes: number
  /** Messages a second of all publishers together, whether the server keeps up or not; none: each waits for its answer. */
  readonly pace?: number
  /** What nobody of the bench is subscribed to, and is sent along with each message in one request. */
  readonly others?: readonly Message[]
}

/** The data of a bench message, as JSON. */
export function dataOf(textBytes: number): string {
  return `{"stamp":"${STAMP_PLACEHOLDER}","text":"${'x'.repeat(textBytes)}"}`
}

/** The command that publishes it to a server. */
export function publishCommand(server: Server, phase: number, publication: Publication): PublishCommand {
  const { targets, messages, textBytes, pace, others } = publication
  const data = dataOf(textBytes)
  const request = (target: Target) => {
    if (others === undefined) return server.publish(target, data)
    if (server.publishAmong === undefined) throw new Error('the server takes one message a request')
    return server.publishAmong(target, data, others)
  }
  return {
    kind: 'publish',
    host: server.host,
    port: server.port,
    phase,
    sources: targets.map(request),
    messages,
    ...(pace === undefined ? {} : { pace }),
  }
}
