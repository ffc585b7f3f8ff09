import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../machine/child.js'

const READY_WITHIN_MS = 20_000
const ASK_AGAIN_MS = 50

/**
 * Waits until `GET url` answers 200.
 *
 * @throws Error if the process ends first, or after 20 s; the process is killed then
 */
export async function untilReady(child: Child, url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  let ended: string | undefined
  void child.ended.then(how => {
    ended = how
  })
  while (performance.now() < deadline) {
    const isReady = await fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      async response => {
        await response.arrayBuffer()
        return response.status === 200
      },
      () => false,
    )
    if (isReady) return
    if (ended !== undefined) throw new Error(ended)
    await sleep(ASK_AGAIN_MS)
  }
  child.kill()
  throw new Error(`${child.name} was not ready after ${READY_WITHIN_MS / 1000} s: ${await child.ended}`)
}
