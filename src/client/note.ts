/** Says on the console what happens and why, if somebody looks for a fault: no secrets, but for developers only. */
export function note(sentence: string): void {
  const { debug = /[?&]downpipe-debug/.test(location.search) }: { debug?: boolean | undefined } =
    window.Downpipe || {}
  // biome-ignore lint/suspicious/noConsole: that is what it is for.
  if (debug) console.log(`Downpipe: ${sentence}`)
}
