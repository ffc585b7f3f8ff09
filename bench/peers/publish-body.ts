import type { IncomingMessage } from 'node:http'

/** What is POSTed to publish, to the servers of the comparison that have no form of their own for it. */
export interface PublishBody {
  readonly channel?: string
  readonly broadcast?: boolean
  readonly data: unknown
}

/** Reads a request to its end. */
export async function readPublishBody(request: IncomingMessage): Promise<PublishBody> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return JSON.parse(Buffer.concat(pieces).toString())
}
