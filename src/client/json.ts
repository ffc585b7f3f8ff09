/**
 * Reads JSON that may be something else: a proxy's error page, a stranger's frame, half of it, nothing.
 *
 * @typeParam Value what an object is trusted to be; null or missing if it is none
 * @param text null reads as null, too
 */
export function readObject<Value extends object>(text: string | null): Value | null | undefined {
  try {
    const value = JSON.parse(text as string)
    if (typeof value === 'object') return value
  } catch {
    // The error's own text quotes the other, and there may be a token in it.
  }
  return undefined
}
