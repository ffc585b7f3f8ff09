/** Stands in place of what tells the document of a gap. */
export function tellDocument(): void {}
