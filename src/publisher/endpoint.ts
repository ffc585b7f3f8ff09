import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** Where a publisher sends its calls. */
export interface Endpoint {
  readonly request: typeof httpRequest
  /** Host and port, or the socket's path; the path of publish calls; the agent that keeps connections. */
  readonly options: RequestOptions & { readonly agent: HttpAgent }
}

/**
 * Reads where the server is: `http://host:8080`, `https://host/below/a/prefix` or `unix:/run/downpipe.sock`.
 *
 * @throws TypeError that does not repeat the address: it may hold what nobody should read.
 */
export function parseEndpoint(url: string, site: string | undefined): Endpoint {
  const path = `${site === undefined ? '' : `/sites/${encodeURIComponent(site)}`}/v1/publish`
  if (url.startsWith('unix:/')) {
    const agent = new HttpAgent({ keepAlive: true })
    return { request: httpRequest, options: { socketPath: url.slice('unix:'.length), path, agent } }
  }
  const { protocol, hostname, port, pathname, username, password, search, hash } = parse(url)
  const isSecure = protocol === 'https:'
  if (!isSecure && protocol !== 'http:') throw new TypeError('url: must be http:, https: or unix:/path')
  if (username + password + search + hash !== '') {
    throw new TypeError('url: must hold no user, password, query or fragment')
  }
  return {
    request: isSecure ? httpsRequest : httpRequest,
    options: {
      // The brackets of an IPv6 address belong to the URL and not to the address.
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: pathname.replace(/\/+$/, '') + path,
      agent: isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true }),
    },
  }
}

function parse(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw new TypeError('url: not a URL')
  }
}
