/**
 * What would have come over HTTP: a copy, in which dates are text and nothing is there that JSON has not. What the program does with
 * its own afterwards changes nothing here.
 *
 * @throws when it cannot be written as JSON.
 */
export function jsonCopy(value: unknown): unknown {
  const text: string | undefined = JSON.stringify(value)
  return text === undefined ? undefined : JSON.parse(text)
}
