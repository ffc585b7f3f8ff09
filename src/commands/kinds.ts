import { type Kind, matching } from '../config/kind.js'
import { parseJson } from '../remote/ask.js'

/** Any text that is not empty; the server, or whoever reads it, judges it. */
export function text(placeholder: string, what: string): Kind<string> {
  return matching(placeholder, what, /./s)
}

/** Any JSON. */
export const json: Kind<{ readonly value: unknown }> = {
  placeholder: 'JSON',
  what: 'JSON',
  limits: '',
  json: ['string'],
  parse: parseJson,
}
