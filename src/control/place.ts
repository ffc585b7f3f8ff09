import { InvalidRequest } from '../errors.js'

/** The `next` of a page: opaque to those who hand it back, so that it may change. `listing` keeps those of others out. */
export function writePlace(listing: string, key: string | number): string {
  return Buffer.from(JSON.stringify([listing, key])).toString('base64url')
}

/** Reads the `after` of a listing in the order of names. @throws InvalidRequest when it is none of this listing. */
export function textPlace(listing: string, after: string | undefined): string | undefined {
  if (after === undefined) return undefined
  const key = readPlace(listing, after)
  if (typeof key !== 'string') throw new InvalidRequest(notOurs)
  return key
}

/** Reads the `after` of a listing in the order of numbers. @throws InvalidRequest when it is none of this listing. */
export function numberPlace(listing: string, after: string | undefined): number | undefined {
  if (after === undefined) return undefined
  const key = readPlace(listing, after)
  if (typeof key !== 'number') throw new InvalidRequest(notOurs)
  return key
}

const notOurs = 'query.after: not the next of a page of this listing'

function readPlace(listing: string, text: string): unknown {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(place) && place.length === 2 && place[0] === listing ? place[1] : undefined
  } catch {
    return undefined
  }
}
