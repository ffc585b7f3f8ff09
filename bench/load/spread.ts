/** Channels of the bench's large site: a message goes to one of them, and so to a hundredth of all subscribers. */
export const SPREAD_CHANNELS = 500

/** On how many of them each subscriber is. */
export const SPREAD_EACH = 5

/** Between two channels of a subscriber: no two subscribers of neighbouring numbers are on the same five. */
const STRIDE = 101

/** The numbers of the channels `c0` … `c499` that subscriber `number` is on. The native readers know the same rule. */
export function spreadChannels(number: number): readonly number[] {
  return Array.from({ length: SPREAD_EACH }, (_, place) => (number + place * STRIDE) % SPREAD_CHANNELS)
}

/** Which of the subscriber's channels, from 0, a channel is; `undefined` if the subscriber is not on it. */
export function spreadPlace(number: number, channel: number): number | undefined {
  const distance = (channel - (number % SPREAD_CHANNELS) + SPREAD_CHANNELS) % SPREAD_CHANNELS
  return distance % STRIDE === 0 && distance / STRIDE < SPREAD_EACH ? distance / STRIDE : undefined
}
