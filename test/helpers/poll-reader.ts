import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import {
  type Ask,
  EventQueue,
  type Reader,
  type ReaderEvent,
  subscriptionHeaders,
  subscriptionPath,
} from './reader.js'

/** What a poll is answered with. */
export interface PollBody {
  readonly cursor: string | null
  readonly messages: readonly ({ readonly id?: string } & Record<string, unknown>)[]
  readonly ready?: { readonly v: string } & Record<string, unknown>
  readonly gap?: { readonly cursor: string } & Record<string, unknown>
  readonly close?: Record<string, unknown>
}

/** An answer to a poll, as it came. */
export interface PollAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** Subscribes by polls on one connection: each answer is taken apart into events, and the next poll follows at once. */
export class PollReader implements Reader {
  readonly #queue = new EventQueue()
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: string
  readonly #ask: Ask
  #since: string | undefined
  #version: string | undefined
  #request: ClientRequest | undefined
  #isClosed = false

  constructor(url: string, ask: Ask = {}) {
    this.#url = url
    this.#ask = ask
    this.#since = ask.since
    this.#run().then(
      () => this.#queue.push({ event: 'end', id: undefined, data: undefined }),
      (error: unknown) => this.#queue.fail(error instanceof Error ? error : new Error(String(error))),
    )
  }

  get cursor(): string | undefined {
    return this.#queue.cursor
  }

  next(event?: string): Promise<ReaderEvent> {
    return this.#queue.next(event)
  }

  messages(count: number): Promise<unknown[]> {
    return this.#queue.messages(count)
  }

  close(): void {
    this.#isClosed = true
    this.#request?.destroy()
    this.#agent.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const answer = await this.#poll().catch(() => undefined)
      if (answer === undefined || this.#isClosed) return
      if (answer.status !== 200) {
        this.#queue.push({ event: 'refused', id: undefined, data: answer })
        return
      }
      if (!isPollBody(answer.body)) throw new Error(`not a poll's answer: ${JSON.stringify(answer.body)}`)
      this.#take(answer.body)
      if (answer.body.close !== undefined) return
    }
  }

  #poll(): Promise<PollAnswer> {
    const { query = {}, lastEventId, ...ask } = this.#ask
    const isFirst = this.#version === undefined
    const path = subscriptionPath('poll', {
      ...ask,
      query: isFirst ? query : { ...query, v: this.#version ?? '' },
      ...(this.#since !== undefined && { since: this.#since }),
    })
    const headers = subscriptionHeaders(isFirst && lastEventId !== undefined ? this.#ask : ask)
    const { answer, sent } = sendPoll(this.#url + path, headers, this.#agent)
    this.#request = sent
    return answer
  }

  #take({ cursor, messages, ready, gap, close }: PollBody): void {
    const last = messages.findLast(({ id }) => id !== undefined)?.id ?? gap?.cursor
    if (ready !== undefined) {
      this.#version = ready.v
      this.#queue.push({
        event: 'ready',
        id: last === undefined ? (cursor ?? undefined) : this.#since,
        data: ready,
      })
    }
    if (gap !== undefined) this.#queue.push({ event: 'gap', id: gap.cursor, data: gap })
    for (const { id, ...data } of messages) this.#queue.push({ event: 'message', id, data })
    if (close !== undefined) this.#queue.push({ event: 'close', id: undefined, data: close })
    this.#since = cursor ?? this.#since
  }
}

/** One poll, without any follow-up. */
export function poll(url: string, ask: Ask = {}): Promise<PollAnswer> {
  const agent = new Agent({ keepAlive: false })
  return sendPoll(url + subscriptionPath('poll', ask), subscriptionHeaders(ask), agent).answer
}

/** The body of an answer that must be a good one. */
export function pollBody({ status, body }: PollAnswer): PollBody {
  if (status !== 200 || !isPollBody(body)) throw new Error(`refused: ${status} ${JSON.stringify(body)}`)
  return body
}

function sendPoll(
  url: string,
  headers: Record<string, string>,
  agent: Agent,
): { answer: Promise<PollAnswer>; sent: ClientRequest } {
  const sent = request(url, { agent, headers })
  const answer = new Promise<PollAnswer>((resolve, reject) => {
    sent.once('error', reject)
    sent.once('response', response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('error', reject)
      response.once('end', () => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, body: text === '' ? undefined : JSON.parse(text) })
      })
    })
  })
  sent.end()
  return { answer, sent }
}

function isPollBody(body: unknown): body is PollBody {
  return typeof body === 'object' && body !== null && 'cursor' in body && 'messages' in body
}
