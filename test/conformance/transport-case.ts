import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { publish } from '../helpers/calls.js'
import type { Ask, Reader, ReaderEvent } from '../helpers/reader.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

/** What the suite has to know of a transport. */
export interface Transport {
  /** Subscribes. MUST NOT wait. */
  connect(url: string, ask: Ask): Reader
  /** How a reader learns that its token is good no longer. */
  readonly expired: Pick<ReaderEvent, 'event' | 'data'>
}

/** A server with readers on it, all ended with the test. */
export interface Case {
  readonly server: TestServer
  /** Lets the CMS know a token. */
  knows(token: string, identity: Record<string, unknown>): void
  publish(message: Record<string, unknown>): Promise<string>
  /** Subscribes; nothing has come yet. */
  connect(ask: Ask): Reader
  /** Subscribes and waits for `ready`. */
  join(ask: Ask): Promise<Reader>
}

/** Begins a case of the suite. */
export async function beginCase(
  t: Test,
  transport: Transport,
  overrides: Partial<Config> = {},
): Promise<Case> {
  const server = await startTestServer(overrides)
  const readers: Reader[] = []
  t.teardown(async () => {
    for (const reader of readers) reader.close()
    await server.close()
  })
  const connect = (ask: Ask) => {
    const reader = transport.connect(server.url, ask)
    readers.push(reader)
    return reader
  }
  return {
    server,
    knows: (token, identity) => server.cms.identities.set(token, identity),
    publish: message => publish(server, message),
    connect,
    join: async ask => {
      const reader = connect(ask)
      await reader.next('ready')
      return reader
    },
  }
}

/** The status and the code that a reader was refused with. */
export async function refusal(reader: Reader): Promise<unknown> {
  const { data } = await reader.next('refused')
  if (typeof data !== 'object' || data === null || !('status' in data && 'body' in data)) return undefined
  const { status, body } = data
  const isError = typeof body === 'object' && body !== null && 'code' in body
  return { status, code: isError ? body.code : undefined }
}
