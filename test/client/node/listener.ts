import type { Test } from 'tap'
import { type ConnectOptions, connect, type Push } from '../../../src/client/node/index.js'
import { Queue } from '../queue.js'

/** What a program that listens was told, in order: the handler's name and what it got. */
export type Told = readonly [name: string, what: unknown]

/** A connection, and what it has told. */
export interface Listening {
  readonly push: Push
  readonly told: Queue<Told>
}

/** Connects, notes all that the handlers get, and ends with the test. */
export function listen(t: Test, url: string, options: ConnectOptions = {}): Listening {
  const told = new Queue<Told>()
  const push = connect(url, {
    onready: ready => told.push(['ready', ready]),
    onmessage: (_, message) => told.push(['message', message]),
    onpresence: presence => told.push(['presence', presence]),
    ongap: gap => told.push(['gap', gap]),
    onclose: close => told.push(['close', close]),
    onerror: error => told.push(['error', error]),
    ...options,
  })
  t.teardown(() => push.close())
  return { push, told }
}

/** Waits for the next of a kind; others are passed over. */
export async function until(told: Queue<Told>, name: string): Promise<unknown> {
  for (;;) {
    const [kind, what] = await told.next(name)
    if (kind === name) return what
  }
}

/** What the publisher of a message gave as `data`. */
export function messageData(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'data' in message ? message.data : undefined
}
