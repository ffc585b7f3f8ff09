import type { Address, Request, Take } from './receiver.js'

// The longest that the server allows: less than the 30 s after which many a proxy gives up.
const WAIT_S = 25

/**
 * Receives by long-polling: one request after the other, each from where the last one ended.
 *
 * @returns what stops it
 */
export function receivePolls(address: Address, take: Take, request: Request): () => void {
  // Without a version the server knows that nothing came before.
  let version = ''
  let isOver: boolean | undefined
  let cancel: () => void
  const poll = () => {
    cancel = request(address(`poll?wait=${WAIT_S}&v=${version}&`), (answer, status) => {
      if (answer.ready) version = answer.ready.v
      take(answer, status)
      if (!isOver) poll()
    })
  }
  poll()
  return () => {
    isOver = true
    cancel()
  }
}
