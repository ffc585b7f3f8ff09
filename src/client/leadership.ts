/** A tab's part in who leads. */
export interface Leadership {
  /** Takes the lead from a leader that does not answer. */
  steal(): void
  /** Gives up the lead, or the place in the queue for it: a page that holds either is not kept for the back button. */
  release(): void
}

/**
 * Waits for the lead among the tabs that use the same name.
 *
 * @param won is called when this tab leads, and `lost` when another has taken the lead from it
 * @param failed is called if the browser does not allow it here, as in a sandboxed frame
 */
export function waitForLead(name: string, won: () => void, lost: () => void, failed: () => void): Leadership {
  let release: () => void
  const acquire = (steal: boolean) => {
    const waiting = new AbortController()
    let isLeader = false
    let isOver = false
    let free = () => {}
    release = () => {
      isOver = true
      waiting.abort()
      free()
    }
    const end = () => {
      if (isOver) return
      if (!isLeader) return failed()
      acquire(false)
      lost()
    }
    const options = steal ? { steal } : { signal: waiting.signal }
    // The lock is held until the promise resolves.
    const hold = () =>
      new Promise<void>(resolve => {
        if (isOver) return resolve()
        free = resolve
        isLeader = true
        won()
      })
    navigator.locks.request(name, options, hold).then(end, end)
  }
  acquire(false)
  return {
    steal() {
      release()
      acquire(true)
    },
    release: () => release(),
  }
}
