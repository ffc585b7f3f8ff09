import type { Message } from './frames.js'

/** Whether a list holds an item. */
export function has<Item>(list: readonly Item[], item: Item): boolean {
  return list.indexOf(item) >= 0
}

/** The names that a list lacks, of some others; each once. */
export function lacking(list: readonly string[], others: readonly string[]): string[] {
  return others.filter((name, place) => !has(list, name) && others.indexOf(name) === place)
}

/** Where a message was sent to, or the labels that it bears; one that is missing where there is none. */
export function channelsOf({ channel, channels }: Message): readonly (string | undefined)[] {
  return channels || [channel]
}
