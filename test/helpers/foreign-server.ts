import { createServer, type RequestListener } from 'node:http'
import type { Test } from 'tap'
import { listen, shut } from './listening.js'

/** A server that is not Downpipe, or not as it should be, on a free port; it ends with the test. Resolves to its URL. */
export async function startForeignServer(t: Test, handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  const port = await listen(server)
  t.teardown(() => shut(server))
  return `http://127.0.0.1:${port}`
}
