import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { defaults } from '../../src/config.js'
import { type RunningServer, startServer } from '../../src/server.js'
import { type Cms, startCms } from './cms.js'

/** The service key of every server that tests start. */
export const serviceKey = 'a-service-key-for-tests'

/** A server on a free port, with a CMS that knows its tokens. */
export interface TestServer extends RunningServer {
  readonly cms: Cms
  /** `POST /v1<path>` with the service key. */
  post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }>
  /** Adds (`PUT`) or removes (`DELETE`) a membership, with the service key. */
  membership(
    method: 'PUT' | 'DELETE',
    uid: string,
    channel: string,
  ): Promise<{ status: number; body: Record<string, unknown> }>
  /** `GET /v1<path>` with the given headers. */
  get(
    path: string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }>
}

/** Starts a server; `close` also ends its CMS. */
export async function startTestServer(overrides: Partial<Config> = {}): Promise<TestServer> {
  const cms = await startCms()
  const server = await startServer(
    defaults({
      listen: [{ host: '127.0.0.1', port: 0 }],
      serviceKeys: [serviceKey],
      authUrl: cms.url,
      logLevel: 'silent',
      drainTimeoutMs: 2_000,
      ...overrides,
    }),
  )
  const answer = async (response: Response) => {
    const text = await response.text()
    return { status: response.status, body: JSON.parse(text) as Record<string, unknown> }
  }
  return {
    ...server,
    cms,
    post: async (path, body) =>
      answer(
        await fetch(`${server.url}/v1${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${serviceKey}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    membership: async (method, uid, channel) =>
      answer(
        await fetch(
          `${server.url}/v1/users/${encodeURIComponent(uid)}/channels/${encodeURIComponent(channel)}`,
          { method, headers: { authorization: `Bearer ${serviceKey}` } },
        ),
      ),
    get: async (path, headers = {}) => answer(await fetch(`${server.url}/v1${path}`, { headers })),
    close: async () => {
      await server.close()
      await cms.close()
    },
  }
}

/** A server of which anybody may read every channel. It ends with the test. */
export async function openServer(
  t: Pick<Test, 'teardown'>,
  overrides: Partial<Config> = {},
): Promise<TestServer> {
  const server = await startTestServer({ anonymousChannels: ['*'], ...overrides })
  t.teardown(() => server.close())
  return server
}
