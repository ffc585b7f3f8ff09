/** Whether a list holds a name. */
export function has(list: readonly string[], name: string): boolean {
  return list.indexOf(name) >= 0
}

/** The names that a list lacks, of some others. */
export function lacking(list: readonly string[], others: readonly string[]): string[] {
  return others.filter(name => !has(list, name))
}
