import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import downpipe, { type DownpipeOptions } from '../../src/index.js'

/** The service key of every embedded site that has one. */
export const serviceKey = 'a-service-key-for-tests'

/** Somebody's app, listening, with what it has logged. */
export interface Host {
  readonly app: FastifyInstance
  readonly url: string
  /** All lines of its log so far. */
  readonly log: string
  /** `POST <path>` with the service key. */
  post(path: string, body: unknown): Promise<{ status: number; body: unknown }>
}

/** What a test wants of the app. */
export interface HostOptions {
  /** Registers what else the app has, before the service. */
  readonly build?: (app: FastifyInstance) => void | Promise<void>
  readonly fastify?: FastifyServerOptions
  /** One registration each. */
  readonly services?: readonly DownpipeOptions[]
}

/** Starts an app that embeds the service; it ends with the test. */
export async function startHost(
  t: Test,
  { build, fastify = {}, services = [{}] }: HostOptions,
): Promise<Host> {
  let log = ''
  const stream = {
    write: (line: string) => {
      log += line
    },
  }
  const app = Fastify({ logger: { level: 'info', stream }, ...fastify })
  t.teardown(() => app.close())
  await build?.(app)
  for (const service of services) app.register(downpipe, service)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    app,
    url,
    get log() {
      return log
    },
    post: async (path, body) => {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${serviceKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: response.status, body: await response.json() }
    },
  }
}
