/**
 * Says on the console what happens and why, if somebody looks for a fault, by `Downpipe.debug` or by `downpipe-debug` in the
 * page's address: no secrets, but for developers only.
 */
export function note(sentence: string, detail: unknown): void {
  const isWanted = /downpipe-debug/.test(location.href) || Object(window.Downpipe).debug
  // biome-ignore lint/suspicious/noConsole: that is what it is for.
  if (isWanted) console.log(`Downpipe ${sentence}`, detail)
}
