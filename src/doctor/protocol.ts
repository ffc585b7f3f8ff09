import { isIP } from 'node:net'
import { connect } from 'node:tls'
import type { Target } from '../remote/target.js'
import { ailing, type Finding, good, untested } from './finding.js'

const check = 'http version'

/** Looks which HTTP browsers would speak there; undefined on this machine without TLS, where there is nothing to say. */
export async function checkProtocol(
  { protocol, hostname, port }: Target,
  timeoutMs: number,
): Promise<Finding | undefined> {
  if (protocol === 'https:') return judge(await negotiated(hostname, port, timeoutMs))
  if (/^(localhost|127\..*|::1)$/.test(hostname)) return undefined
  const means =
    'tokens and messages can be read by whoever is on the way, and browsers speak HTTP/1.1, six connections to a host'
  return { check, level: 'note', seen: 'http, without TLS', means }
}

function judge(negotiated: string | undefined): Finding {
  if (negotiated === undefined) return untested(check, 'no TLS connection was made')
  return negotiated === 'h2'
    ? good(check, 'browsers speak HTTP/2: all their tabs share one connection')
    : ailing(check, 'browsers speak HTTP/1.1', 'http1', 'note')
}

/** What is agreed on with somebody who offers what browsers offer; undefined when there is no agreement. */
function negotiated(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const servername = isIP(host) === 0 ? { servername: host } : {}
    const socket = connect({ host, port, ...servername, ALPNProtocols: ['h2', 'http/1.1'] })
    const end = (protocol: string | undefined) => {
      socket.destroy()
      resolve(protocol)
    }
    socket.setTimeout(timeoutMs, () => end(undefined))
    socket.once('secureConnect', () => end(socket.alpnProtocol || 'http/1.1'))
    socket.on('error', () => end(undefined))
  })
}
