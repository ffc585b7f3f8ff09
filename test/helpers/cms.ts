import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen, shut } from './listening.js'

/** What the auth URL is asked. */
export interface Question {
  readonly token: string
  readonly ip?: string
  readonly userAgent?: string
}

/** What the auth URL is to do with one question. */
export type Answer = (
  token: string,
  response: ServerResponse,
  request: IncomingMessage,
  question: Question,
) => void

/** An auth URL that tests script: tokens it knows are answered, all others refused. */
export interface Cms {
  readonly url: string
  /** The tokens that were asked for, in order. */
  readonly asked: string[]
  /** What is answered about a token; a token may be added, changed and deleted at any time. */
  readonly identities: Map<string, Record<string, unknown>>
  /** Replaces the usual answer (undefined: back to it). */
  answer: Answer | undefined
  close(): Promise<void>
}

export async function startCms(): Promise<Cms> {
  const asked: string[] = []
  const identities = new Map<string, Record<string, unknown>>()
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      const question = JSON.parse(text) as Question
      const { token } = question
      asked.push(token)
      if (cms.answer !== undefined) {
        cms.answer(token, response, request, question)
        return
      }
      const identity = identities.get(token)
      response.statusCode = identity === undefined ? 403 : 200
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(identity ?? {}))
    })
  })
  const port = await listen(server)
  const cms: Cms = {
    url: `http://127.0.0.1:${port}/auth`,
    asked,
    identities,
    answer: undefined,
    close: () => shut(server),
  }
  return cms
}
