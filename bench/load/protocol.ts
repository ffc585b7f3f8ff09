import type { Faults } from './faults.js'
import type { HistogramData } from './histogram.js'
import type { PhasePlan } from './phase-ledger.js'

/** How a subscriber asks for what it is to get. */
export interface StreamRequest {
  /** A stream of Server-Sent Events; long-polling in Downpipe's form or in Nchan's, or socket.io over a websocket, which only the native reader does. */
  readonly kind: 'stream' | 'poll' | 'nchan-poll' | 'socket.io'
  readonly host: string
  readonly port: number
  /**
   * Path and query. `{n}` stands for the subscriber's number, whose own channel is `own_{n}`; `{0}` to `{4}` for the numbers of
   * its channels where they are those of {@link spreadChannels}; `{since}` and `{v}` for the cursor and the version that a
   * poller has, empty at first. A stream gives its cursor as `Last-Event-ID` when it returns.
   */
  readonly path: string
  /** What shows that the stream is open: an event `ready`, or, where a server has none, the head of the response. */
  readonly ready: 'event' | 'head'
  /** Address to connect from. One has about 28,000 ports; each load process after the first gets its own. */
  readonly localAddress?: string
}

/** A publish request, complete but for the stamps of its messages ({@link STAMP_PLACEHOLDER} stands for each). */
export interface PublishRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a reader process is told. The native one reads the fields in the order in which they stand here. */
export type ReaderCommand =
  /** Open `count` streams, numbered from `first`, at most `window` connecting at a time. Answered by `connected`. */
  | {
      readonly kind: 'connect'
      readonly first: number
      readonly count: number
      readonly window: number
      readonly request: StreamRequest
    }
  /**
   * A phase begins. Answered by `armed`, and by `done` when everything has come. With `polls`, the process does not sleep
   * until `collect`, but looks for what has come again and again.
   */
  | { readonly kind: 'arm'; readonly plan: PhasePlan; readonly polls: boolean }
  /** Cut all connections, without a word. Answered by `away`. Only the native reader does this and the next. */
  | { readonly kind: 'cut' }
  /**
   * All that are away return, with the cursor that they have, each at a random time within `spreadMs`; who is turned away does
   * so again after the time that the server asked for. Answered by `returned`.
   */
  | { readonly kind: 'return'; readonly spreadMs: number }
  /** The phase is over: what came of it, and of the time before it? Answered by `collected`. */
  | { readonly kind: 'collect' }
  /** End all connections and exit. By resets: ten thousand sockets in TIME_WAIT would cost the next round its ports. */
  | { readonly kind: 'leave' }

/** What a reader process says. */
export type ReaderReport =
  | { readonly kind: 'up' }
  /** Twice a second while it connects or reads. */
  | { readonly kind: 'progress'; readonly connected: number; readonly delivered: number }
  | ConnectedReport
  /** No connection is left, since they were cut or the server was killed. */
  | { readonly kind: 'away' }
  | ReturnedReport
  | { readonly kind: 'armed' }
  | { readonly kind: 'done' }
  | CollectedReport

/** How the connecting went, in one process. */
export interface ConnectedReport {
  readonly kind: 'connected'
  readonly connected: number
  readonly failed: number
  /** Why the first one failed that did. */
  readonly failure?: string
  readonly firstMicros: number
  readonly lastMicros: number
  /** From `connect()` until the stream was open. */
  readonly latency: HistogramData
}

/** How the returning went, in one process. */
export interface ReturnedReport extends Omit<ConnectedReport, 'kind'> {
  readonly kind: 'returned'
  /** How often somebody was turned away, or found no server, and had to come again. */
  readonly turnedAway: number
}

/** What came of a phase, in one process. */
export interface CollectedReport {
  readonly kind: 'collected'
  readonly delivered: number
  /** Messages that did not come, of which a gap has told: see {@link PhasePlan.hasCrash}. */
  readonly excused: number
  /** Subscribers that were told so. */
  readonly gapped: number
  /** Polls that were answered with messages. */
  readonly answers: number
  readonly faults: Faults
  /** Why the first stream ended that did. */
  readonly ending?: string
  readonly latency: HistogramData
  readonly lastMicros: number
  /** Processor time since `arm` in which there was something to do: what was spent on looking in vain is not in it. */
  readonly workedMicros: number
}

/** What the probe is told: ask `path` every `everyMs`, and for how long. */
export type ProbeCommand =
  /** Answered by `probing`. */
  | {
      readonly kind: 'probe'
      readonly host: string
      readonly port: number
      readonly path: string
      readonly everyMs: number
    }
  /** Answered by `probed`. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'leave' }

/** What the probe says. */
export type ProbeReport =
  /** Whether the kernel lets it go before all others on its core. */
  | { readonly kind: 'up'; readonly isUrgent: boolean }
  | { readonly kind: 'probing' }
  | {
      readonly kind: 'probed'
      readonly asked: number
      /** What was not answered, or not by 200. */
      readonly refused: number
      /** From asking until the answer was read. */
      readonly latency: HistogramData
      /** From the time at which it should have asked until it did. */
      readonly lateness: HistogramData
    }

/** What the publisher process is told. */
export type PublisherCommand =
  | PublishCommand
  /** From now on the stand-in for the CMS takes `delayMs` for an answer. What has it been asked so far? Answered by `asked`. */
  | { readonly kind: 'askAuth'; readonly delayMs: number }
  | { readonly kind: 'leave' }

/**
 * Publish `messages` messages of each of `sources`. Without a pace, each source has a connection of its own, and sends its next
 * message when the last was answered. Answered by `published`.
 */
export interface PublishCommand {
  readonly kind: 'publish'
  readonly host: string
  readonly port: number
  readonly phase: number
  readonly sources: readonly PublishRequest[]
  /** How many messages each source sends. */
  readonly messages: number
  /**
   * Messages a second, of all sources together and of each in its turn, whether the server keeps up or not: there are as many
   * connections as it takes.
   */
  readonly pace?: number
}

/** What the publisher process says. */
export type PublisherReport =
  /** The stand-in for the CMS listens: this is the auth URL. */
  | { readonly kind: 'up'; readonly authUrl: string }
  /** Twice a second while it publishes. */
  | { readonly kind: 'progress'; readonly answered: number }
  | PublishedReport
  | AskedReport

/** What the stand-in for the CMS was asked since the last such report. */
export interface AskedReport {
  readonly kind: 'asked'
  readonly calls: number
  /** The most in any second. */
  readonly peak: number
  /** The most that waited for an answer at a time. */
  readonly mostAtOnce: number
}

/** How the publishing went. */
export interface PublishedReport {
  readonly kind: 'published'
  readonly accepted: number
  readonly refused: number
  /** Why the first one was refused that was. */
  readonly refusal?: string
  readonly firstMicros: number
  /** From sending a message until it was answered. */
  readonly latency: HistogramData
}
