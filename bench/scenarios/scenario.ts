import type { Faults } from '../load/faults.js'
import type { Options } from '../options.js'
import type { Peer } from '../peers/peer.js'
import type { Effort } from '../rig/effort.js'
import type { RigSetting } from '../rig/rig.js'

/** What a figure has to be. */
export type Goal =
  /** Ours is at least so many times that of another server, which is named as on the command line. */
  | { readonly kind: 'ratio-at-least'; readonly to: string; readonly value: number }
  /** Ours is at most so many times that of another server. */
  | { readonly kind: 'ratio-at-most'; readonly to: string; readonly value: number }
  /** Ours is at most so much. */
  | { readonly kind: 'at-most'; readonly value: number }

/** One line of a scenario's table. */
export interface FigureSpec {
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** Which part of the scenario it comes from, and whose {@link Measurement.efforts} say what it is worth; none: nobody's. */
  readonly part?: string
  /**
   * What to do when the load, and not our server, was the limit in that part. `refuse`: the figure is invalid, and so is the run.
   * `bound`: it is a lower bound (of a rate) or an upper one (of a time), and is shown as such. Of another server it is a bound,
   * too, but invalid if a goal compares it with ours, which it would flatter.
   */
  readonly whenLoadBound?: 'refuse' | 'bound'
  /** All that it has to be: one of a kind and server. */
  readonly goals?: readonly Goal[]
  /** What it is called where the README sums up, without the unit; absent: it is not there. */
  readonly headline?: string
}

/** What one server did in one round. */
export interface Measurement {
  /** By name of the figure. */
  readonly values: Readonly<Record<string, number>>
  /** By name of the part. */
  readonly efforts: Readonly<Record<string, Effort>>
  readonly faults: Faults
}

/** A way to load a server. One file each; a run measures each server with it in turn. */
export interface Scenario {
  readonly name: string
  /** Whether it has subscribers that only the native reader knows. */
  readonly needsNativeReader?: boolean
  /** What is done, in a line. */
  describe(options: Options): string
  /** The figures that it takes, in the order of the table. */
  figures(options: Options): readonly FigureSpec[]
  /**
   * Measures one server once: starts it, loads it, stops it.
   *
   * @throws Error if it cannot be measured to the end
   */
  measure(setting: RigSetting, peer: Peer, options: Options): Promise<Measurement>
}
