/** What must not happen to a subscriber, counted. All zero, or the run has failed. */
export interface Faults {
  /** Messages that never came. */
  readonly lost: number
  /** Messages that came again, in their own phase or in a later one. */
  readonly duplicated: number
  /** Messages that came after a later one of the same source, and event ids that did not grow. */
  readonly disordered: number
  /** `gap` events: the server says that something may be missing. */
  readonly gaps: number
  /** Streams that ended, by a `close` event or without, before the load closed them. */
  readonly dropped: number
  /** Messages that the server did not accept. */
  readonly refused: number
}

/** No faults: where a sum of faults starts. */
export const NO_FAULTS: Faults = { lost: 0, duplicated: 0, disordered: 0, gaps: 0, dropped: 0, refused: 0 }

/** The sum of two counts of faults. */
export function addFaults(one: Faults, other: Faults): Faults {
  return {
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    disordered: one.disordered + other.disordered,
    gaps: one.gaps + other.gaps,
    dropped: one.dropped + other.dropped,
    refused: one.refused + other.refused,
  }
}

/** How many faults there are, of any kind. */
export function faultTotal(faults: Faults): number {
  return Object.values(faults).reduce((sum, count) => sum + count, 0)
}
