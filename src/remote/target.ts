import type { Kind } from '../config/kind.js'

/** Where a server is called. */
export interface Target {
  readonly protocol: 'http:' | 'https:'
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string
  readonly port: number
  /** A Unix socket, which then stands for host and port. */
  readonly socketPath: string | undefined
  /** The path prefix that a proxy strips: empty, or with a slash in front and none at the end. */
  readonly prefix: string
  /** As a person may read it; holds no credential. */
  readonly text: string
}

/** `http://HOST:PORT/prefix`, `https://…` or `unix:/path`. User names, queries and fragments are refused. */
export const target: Kind<Target> = {
  placeholder: 'URL',
  what: 'http://HOST:PORT, https://HOST/PREFIX (without user name, password, ? and #) or unix:/PATH',
  limits: '',
  json: ['string'],
  parse: text => {
    if (text.startsWith('unix:/')) return unixTarget(text.slice('unix:'.length))
    if (!/^https?:\/\/[^\s?#\\]+$/i.test(text) || !URL.canParse(text)) return undefined
    const url = new URL(text)
    if (url.username !== '' || url.password !== '') return undefined
    const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
    const prefix = url.pathname.replace(/\/+$/, '')
    return {
      protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port),
      socketPath: undefined,
      prefix,
      text: url.origin + prefix,
    }
  },
}

function unixTarget(path: string): Target | undefined {
  if (path.includes('\0')) return undefined
  return {
    protocol: 'http:',
    hostname: 'localhost',
    port: 80,
    socketPath: path,
    prefix: '',
    text: `unix:${path}`,
  }
}

/** The prefix under which a site's calls are: `/v1`, or `/sites/<site>/v1` where the server carries several. */
export function siteBase(site: string | undefined): string {
  return site === undefined ? '/v1' : `/sites/${encodeURIComponent(site)}/v1`
}
