import type { Kind } from '../config/kind.js'
import { parseJson } from '../remote/ask.js'

/** Any text that is not empty; the server, or whoever reads it, judges it. */
export function text(placeholder: string, what: string): Kind<string> {
  return {
    placeholder,
    what,
    limits: '',
    json: ['string'],
    parse: given => (given === '' ? undefined : given),
  }
}

/** Any JSON. */
export const json: Kind<{ readonly value: unknown }> = {
  placeholder: 'JSON',
  what: 'JSON',
  limits: '',
  json: ['string'],
  parse: parseJson,
}
