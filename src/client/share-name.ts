import type { PageOptions } from './page-options.js'

/**
 * The name under which tabs find each other that may share a connection; undefined: this one may not.
 *
 * It holds the token, if that is the key, and so must not be printed.
 */
export function shareName(
  url: string,
  { share, token, session, credentials, transport }: PageOptions,
): string | undefined {
  if (share === false || !navigator.locks || !window.BroadcastChannel) return undefined
  const { href, origin } = new URL(`${url.replace(/\/$/, '')}/v1/`, document.baseURI)
  // Only tabs of the same visitor may meet. Cookies, which go to our own origin unasked, do not tell us whose they are.
  const isUnknown = session || typeof token === 'function' || (!token && origin === location.origin)
  const key = share || (!credentials && !isUnknown && `${token || ''}`)
  return key === false ? undefined : `downpipe 1 ${transport} ${href} ${key}`
}
