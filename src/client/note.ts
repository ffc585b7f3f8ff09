/** Whether somebody looks for a fault: `Downpipe.debug`, or `downpipe-debug` in the query of the page's address. */
export function isDebugging(): boolean | undefined {
  return /[?&]downpipe-debug/.test(location.search) || window.Downpipe?.debug
}

/** Says on the console what happens and why, if somebody looks for a fault: no secrets, but for developers only. */
export function note(sentence: string, detail: unknown): void {
  // biome-ignore lint/suspicious/noConsole: that is what it is for.
  if (isDebugging()) console.log(`Downpipe: ${sentence}:`, detail)
}
