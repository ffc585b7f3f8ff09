import type { PublishRequest, StreamRequest } from '../load/protocol.js'
import type { Programs } from '../machine/programs.js'

/** To whom a message of the bench goes: to all, or to a channel. */
export type Target = 'all' | { readonly channel: string }

/**
 * Which channels the subscribers are on, beside one of their own: `shared`, all on the same five ({@link SHARED_CHANNELS}), or
 * `spread`, each on five of 500 ({@link spreadChannels}).
 */
export type Audience = 'shared' | 'spread'

/** How a subscriber asks a server, but for where it is. */
export type Asking = Pick<StreamRequest, 'kind' | 'path' | 'ready'>

/** A message to a channel. */
export interface Message {
  readonly channel: string
  /** JSON. */
  readonly data: string
}

/** What a server under test is started with. */
export interface ServerSetting {
  /** Asked `POST {"token"}` for each new connection, unless the server has no such thing. */
  readonly authUrl: string
  /** The core that all its processes are pinned to; `undefined`: none. */
  readonly core: number | undefined
  /** The Node that runs it, if Node does: path of the program. */
  readonly node: string
  readonly programs: Programs
}

/** A running server under test. */
export interface Server {
  readonly host: string
  readonly port: number
  /** How a subscriber asks for a stream of its channels. */
  stream(audience: Audience): Asking
  /** How it polls for them. Only of a server that can do `poll`. */
  poll?(audience: Audience): Asking
  /** Resolves with a sentence when it ends by itself: the run cannot go on. */
  readonly ended: Promise<string>
  /** All its processes as they are now: their memory and their time are the server's. */
  pids(): readonly number[]
  /** The request that publishes `data`, which is JSON, to a target. */
  publish(target: Target, data: string): PublishRequest
  /** The same together with `others`, each to a channel of its own, in one request. Only of a server that can do `resume`. */
  publishAmong?(target: Target, data: string, others: readonly Message[]): PublishRequest
  /** The path that only says that the server is alive. Only of a server that has one. */
  readonly healthPath?: string
  /**
   * Kills all its processes without a word, and starts them anew at the same address; resolves when they serve. Only of a
   * server that can do `storm`. {@link ended} is not for this; the server that it resolves to has its own.
   */
  crash?(): Promise<Server>
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
  /** Why a scenario makes no sense here, by its name. None: it can do them all. */
  readonly cannot?: Readonly<Record<string, string>>
  /** Connections beyond which it breaks in a scenario, by the scenario's name. */
  readonly most?: Readonly<Record<string, number>>
  /** Whether its subscribers are of a kind that only the native reader knows. */
  readonly needsNativeReader?: boolean
  /** Why it cannot be run here, or `undefined` if it can. A program that has to be compiled is compiled by this. */
  missing(): string | undefined
  /**
   * Starts it and waits until it serves.
   *
   * @throws Error with what it said, if it ends or does not serve within 20 s
   */
  start(setting: ServerSetting): Promise<Server>
}
