import { setTimeout as pause } from 'node:timers/promises'
import { deadlineMs } from './reader.js'
import { serviceKey, type TestServer } from './server.js'

/** Publishes one message and resolves to its id. */
export async function publish(server: TestServer, message: Record<string, unknown>): Promise<string> {
  const { status, body } = await server.post('/publish', message)
  if (status !== 200 || typeof body.id !== 'string') throw new Error(`not published: ${JSON.stringify(body)}`)
  return body.id
}

/** Figures that tests look at. */
export interface Figures {
  readonly connections: { readonly sse: number; readonly poll: number }
  readonly listenedKeys: number
  readonly connects: number
  readonly outboxes: { readonly queued: number; readonly overflows: number }
  readonly gaps: number
  readonly closed: Readonly<Record<string, number>>
}

/** `GET /v1/stats`. */
export async function stats(server: TestServer): Promise<Figures> {
  const { status, body } = await server.get('/stats', { authorization: `Bearer ${serviceKey}` })
  if (status !== 200 || !isFigures(body)) throw new Error(`no stats: ${status} ${JSON.stringify(body)}`)
  return body
}

/** Waits until so many streams are open and polls wait, all together. */
export async function connected(server: TestServer, count: number): Promise<void> {
  await until(`${count} connected`, async () => {
    const { connections } = await stats(server)
    return connections.sse + connections.poll === count
  })
}

/** Looks again and again until it is so. For what nobody announces. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`)
    await pause(10)
  }
}

function isFigures(body: object): body is Figures {
  return 'connections' in body && 'outboxes' in body
}
