import { monitorEventLoopDelay } from 'node:perf_hooks'
import { memoryUsage } from 'node:process'

/** How the process is doing. */
export interface ProcessFigures {
  readonly memory: {
    readonly rssBytes: number
    readonly heapUsedBytes: number
    readonly externalBytes: number
  }
  /** How late the event loop was, in ms, since the last reset (each minute). */
  readonly eventLoop: { readonly meanMs: number; readonly p99Ms: number; readonly maxMs: number }
}

/** Milliseconds between two looks at the event loop. */
const resolutionMs = 20

/** Milliseconds after which the figures of the event loop begin anew. */
const resetMs = 60_000

/** Reads figures of the whole process; one for all sites. */
export class ProcessMonitor {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs })
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#delay.enable()
    this.#timer = setInterval(() => this.#delay.reset(), resetMs).unref()
  }

  figures(): ProcessFigures {
    const { rss, heapUsed, external } = memoryUsage()
    return {
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
      eventLoop: {
        meanMs: late(this.#delay.mean),
        p99Ms: late(this.#delay.percentile(99)),
        maxMs: late(this.#delay.max),
      },
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }
}

/** The histogram holds nanoseconds between two looks, the look's own interval included. */
function late(nanoseconds: number): number {
  const ms = nanoseconds / 1e6 - resolutionMs
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms * 100) / 100) : 0
}
