import type { PublishRequest, StreamRequest } from '../load/protocol.js'
import type { Programs } from '../machine/programs.js'

/** To whom a message of the bench goes: to all, or to a channel. */
export type Target = 'all' | { readonly channel: string }

/** What a server under test is started with. */
export interface ServerSetting {
  /** Asked `POST {"token"}` for each new connection, unless the server has no such thing. */
  readonly authUrl: string
  /** The core that all its processes are pinned to; `undefined`: none. */
  readonly core: number | undefined
  readonly programs: Programs
}

/** A running server under test. */
export interface Server {
  readonly host: string
  readonly port: number
  /** How a subscriber asks for a stream of its own channel and the shared ones. */
  readonly stream: Pick<StreamRequest, 'path' | 'ready'>
  /** Resolves with a sentence when it ends by itself: the run cannot go on. */
  readonly ended: Promise<string>
  /** All its processes as they are now: their memory and their time are the server's. */
  pids(): readonly number[]
  /** The request that publishes `data`, which is JSON, to a target. */
  publish(target: Target, data: string): PublishRequest
  /** Ends all its processes. Resolves to false if it had to be killed. */
  stop(): Promise<boolean>
}

/**
 * A server that is measured: Downpipe, or one to compare it with. One file each.
 *
 * Each is run as one would run it, with the same work for each connection: ask who the token is, keep its channels, deliver
 * what is published to them.
 */
export interface Peer {
  /** What it is called on the command line and in results. */
  readonly name: string
  /** What runs, with versions. */
  describe(): string
  /** Why it cannot be run here, or `undefined` if it can. */
  missing(programs: Programs): string | undefined
  /**
   * Starts it and waits until it serves.
   *
   * @throws Error with what it said, if it ends or does not serve within 20 s
   */
  start(setting: ServerSetting): Promise<Server>
}
