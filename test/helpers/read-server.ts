import type { Test } from 'tap'
import { startTestServer, type TestServer } from './server.js'
import { SseReader } from './sse-reader.js'

/** A real server, and somebody who reads channel `a`; both end with the test. */
export async function startReadServer(t: Test): Promise<{ server: TestServer; reader: SseReader }> {
  const server = await startTestServer({ anonymousChannels: ['*'] })
  t.teardown(() => server.close())
  const reader = new SseReader(server.url, { channels: ['a'] })
  t.teardown(() => reader.close())
  await reader.next('ready')
  return { server, reader }
}
