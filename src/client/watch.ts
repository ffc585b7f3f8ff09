// A hidden page's timers are late by a minute without anybody having slept: browsers throttle them.
const THROTTLED_MS = 65000

/** A watch for silence. */
export interface Watch {
  /** There was a sign of life. */
  sign(): void
  stop(): void
}

/**
 * Watches for silence.
 *
 * Silence means something only while our own timer runs on time: one that comes late was throttled, or the machine slept, and what
 * came meanwhile may still wait to be handled. So a late look is no judgement; the silence counts anew from there. What jumped
 * further than throttling explains is a sleep, after which connections are dead more often than not.
 *
 * @param limitMs how long a silence may last
 * @param act is called when it has lasted longer, again and again until the watch is stopped. `isSure`: nobody slept meanwhile
 */
export function watch(limitMs: number, act: (isSure: boolean) => void): Watch {
  const periodMs = limitMs / 8
  let heardMs = Date.now()
  let lookedMs = heardMs
  let isSure = true
  const timer = setInterval(() => {
    const nowMs = Date.now()
    // Somebody may have set the clock back.
    const lateMs = Math.abs(nowMs - lookedMs - periodMs)
    lookedMs = nowMs
    if (lateMs > periodMs) {
      heardMs = nowMs
      isSure = false
      if (lateMs > (document.hidden ? THROTTLED_MS : periodMs)) act(isSure)
    } else if (nowMs - heardMs > limitMs) act(isSure)
  }, periodMs)
  return {
    sign() {
      heardMs = Date.now()
      isSure = true
    },
    stop: () => clearInterval(timer),
  }
}
