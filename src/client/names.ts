/** `none.concat(names)` is a list of one name, or of several. */
export const none: readonly (string | null | undefined)[] = []

/** Whether a list does not hold an item. */
export function lacks<Item>(list: readonly Item[], item: Item): boolean {
  return list.indexOf(item) < 0
}

/** The names that a list lacks, of some others; each once. */
export function lacking(list: readonly string[], others: readonly string[]): string[] {
  return others.filter((name, place) => lacks(list, name) && others.indexOf(name) === place)
}
